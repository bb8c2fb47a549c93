// SPDX-License-Identifier: Apache-2.0
// Light and dark: as the system has it, or as was chosen here. Charts are told, for they take their colours when they draw.
import { h, setAttribute, setText } from "./dom.js";

const KEY = "banyan.theme";
const NEXT = { auto: "light", light: "dark", dark: "auto" };
const LABELS = { auto: "◐ Auto", light: "☀ Light", dark: "☾ Dark" };
const system = matchMedia("(prefers-color-scheme: dark)");

const chosen = () => (localStorage.getItem(KEY) in NEXT ? localStorage.getItem(KEY) : "auto");

function apply() {
  const theme = chosen() === "auto" ? (system.matches ? "dark" : "light") : chosen();
  setAttribute(document.documentElement, "data-theme", theme);
  dispatchEvent(new CustomEvent("theme"));
}

export function themeButton() {
  const label = h("span");
  const button = h("button.quiet", { type: "button", title: "Light or dark", onclick: () => {
    localStorage.setItem(KEY, NEXT[chosen()]);
    apply();
    show();
  } }, label, h("span.hidden", " colours: change"));
  const show = () => setText(label, LABELS[chosen()]);
  show();
  return button;
}

system.addEventListener("change", apply);
apply();
