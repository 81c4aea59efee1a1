import { catalogue } from "../../lib/i18n";

export const t = catalogue("login", {
  title: "Sign in",
  name: "Name",
  password: "Password",
  enter: "Sign in",
  wrong: "That name and password do not belong together.",
});
