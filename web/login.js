// SPDX-License-Identifier: Apache-2.0
// Asking for the token. It is sent once, to this gateway; after that a cookie stands for it. Or leading to the provider that says who one is.
import { beginOpenid, logIn, ways } from "./api.js";
import { h, setText } from "./dom.js";

// The provider's refusals in its own words are long; the heading says whose turn it is.
function heading(refusal) {
  if (!refusal) return "Log in";
  return refusal.slug === "openid.role" ? "You may not come in" : "That did not work";
}

const sentence = (text) => `${text[0].toUpperCase()}${text.slice(1)}.`;

export class LoginView {
  title = "Log in";

  constructor(entered, refusal) {
    this.token = h("input", { id: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: "false",
      autocapitalize: "none", "aria-describedby": "token-hint token-wrong" });
    this.wrong = h("p.wrong", { id: "token-wrong", role: "alert" });
    this.refused = h("p.wrong", { id: "openid-wrong", role: "alert" }, refusal ? sentence(refusal.message) : "");
    this.provider = h("div.provider", { hidden: true });
    this.form = h("form.login", { novalidate: true, onsubmit: (event) => this.submit(event, entered) },
      h("h1", { tabindex: "-1" }, heading(refusal)), this.refused, this.provider,
      h("p.field", h("label", { for: "token" }, "Token"), this.token,
        h("span.hint", { id: "token-hint" }, "One of those in the gateway's configuration: admin.token, or admin.tokens, which name you and your role.")),
      this.wrong, h("div.buttons", h("button.confirm", { type: "submit" }, "Log in")));
    this.element = h("section", this.form);
    this.offer();
  }

  // Whether there is a provider is asked; nothing waits for that.
  async offer() {
    const { issuer } = await ways().catch(() => ({}));
    if (!issuer) return;
    this.provider.append(h("button.confirm", { id: "openid", type: "button", onclick: () => this.leave() }, `Log in at ${new URL(issuer).host}`),
      h("p.hint", "Or with a token:"));
    this.provider.hidden = false;
  }

  async leave() {
    setText(this.refused, "");
    try {
      await beginOpenid();
    } catch (refusal) {
      setText(this.refused, `Not possible: ${refusal.message}.`);
    }
  }

  async submit(event, entered) {
    event.preventDefault();
    const token = this.token.value.trim();
    setText(this.wrong, "");
    if (!token) return setText(this.wrong, "Type the token.");
    try {
      entered(await logIn(token));
    } catch (refusal) {
      setText(this.wrong, refusal.status === 401 ? "No one has this token." : `Not possible: ${refusal.message}`);
      this.token.select();
      this.token.focus();
    }
  }

  end() {
    this.token.value = "";
  }
}
