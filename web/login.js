// SPDX-License-Identifier: Apache-2.0
// Asking for the token. It is sent once, to this gateway; after that a cookie stands for it.
import { logIn } from "./api.js";
import { h, setText } from "./dom.js";

export class LoginView {
  title = "Log in";

  constructor(entered) {
    this.token = h("input", { id: "token", type: "password", required: true, autocomplete: "current-password", spellcheck: "false",
      autocapitalize: "none", "aria-describedby": "token-hint token-wrong" });
    this.wrong = h("p.wrong", { id: "token-wrong", role: "alert" });
    this.form = h("form.login", { novalidate: true, onsubmit: (event) => this.submit(event, entered) },
      h("h1", { tabindex: "-1" }, "Log in"),
      h("p.field", h("label", { for: "token" }, "Token"), this.token,
        h("span.hint", { id: "token-hint" }, "One of those in the gateway's configuration: admin.token, or admin.tokens, which name you and your role.")),
      this.wrong, h("div.buttons", h("button.confirm", { type: "submit" }, "Log in")));
    this.element = h("section", this.form);
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
