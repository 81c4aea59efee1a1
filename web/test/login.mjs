/** Signing in: the first link, every factor, the end of a session in the middle of work. */
import {
  ask,
  equal,
  expect,
  first,
  given,
  person,
  server,
  step,
  styles,
  suite,
  totp,
  truly,
  until,
  visit,
} from "./rig.mjs";

const PASSWORD = "seven grey herons wade";

await suite(async () => {
  expect(400, 401, 403);
  let secret = "";
  let codes = [];
  const admin = await person();
  let page;

  const button = (name, on = page) => on.getByRole("button", { name, exact: true });
  const label = (name, on = page) => on.getByLabel(name, { exact: true });
  const inside = (on = page) => on.locator(".rail").waitFor();
  const password = async (name, text, on = page) => {
    await label("Name", on).fill(name);
    await label("Password", on).fill(text);
    await button("Sign in", on).click();
  };
  const out = async (on = page) => {
    await on.getByRole("button", { name: /^Signed in as/ }).click();
    await on.getByRole("menuitem", { name: "Sign out" }).click();
    await label("Name", on).waitFor();
  };

  await first("the one-time link leads to the first administrator", async () => {
    page = await visit(admin, `/first-run#${given.link}`, "form");
    equal("what is left of the link in the address", new URL(page.url()).hash, "");
    await label("Name").fill("ada");
    await label("Password").fill("short");
    truly("a short password can be sent", await button("Create the account").isDisabled());
    await label("Password").fill(PASSWORD);
    await label("Password again").fill(PASSWORD);
    await button("Create the account").click();
    await page.getByRole("heading", { name: "Add a second factor" }).waitFor();
  });

  await step("nothing else can be done before the second factor is set", async () => {
    await page.goto(`${given.base}/alerts`);
    await page.getByRole("heading", { name: "Add a second factor" }).waitFor();
    equal("the queue without a second factor", (await ask(admin, "/api/v1/alerts")).status, 403);
  });

  await first("an authenticator app is enrolled", async () => {
    await button("Set up an app").click();
    secret = await page.locator(".login-secret").innerText();
    truly("there is a picture to scan", await page.locator("svg.qr path").isVisible());
    await label("Code the app shows now").fill("000000");
    await button("Turn it on").click();
    await page.getByText("not the one the app shows now").waitFor();
    await label("Code the app shows now").fill(totp(secret));
    await button("Turn it on").click();
    await page.getByRole("heading", { name: "Recovery codes" }).waitFor();
    codes = await page.locator(".login-codes li").allInnerTexts();
    truly("there are recovery codes", codes.length >= 8);
    await label("I have kept them").check();
    await button("Go on").click();
    await inside();
    equal("style elements", await styles(page), 0);
  });

  await step("the link is dead afterwards", async () => {
    const second = await person();
    const other = await visit(second, `/first-run#${given.link}`, "form");
    await label("Password", other).fill(PASSWORD);
    await label("Password again", other).fill(PASSWORD);
    await other.locator("button[type=submit]").click();
    await other.getByText("This link is not valid").waitFor();
    await second.close();
  });

  await first("signing out ends the session on the server", async () => {
    const [old] = (await admin.cookies()).filter((cookie) => cookie.name === "__Host-honeyguide");
    truly(
      "the cookie is hidden, secure and strict",
      old.httpOnly && old.secure && old.sameSite === "Strict" && old.path === "/",
    );
    await out();
    const thief = await person({ cookie: old.value });
    equal("the old cookie", (await ask(thief, "/api/v1/me")).status, 401);
    await thief.close();
  });

  await step("wrong passwords and used codes are refused", async () => {
    await password("ada", "not her password");
    await page.getByText("That name and password do not belong together").waitFor();
    equal("what was typed as the name is kept", await label("Name").inputValue(), "ada");
    equal("the focus", await page.evaluate(() => document.activeElement?.getAttribute("type")), "password");
    await password("ada", PASSWORD);
    await page.getByRole("heading", { name: "Second step" }).waitFor();
    const code = label("Code of your authenticator app");
    await code.fill(totp(secret)); // used by the enrolment, or of the step after it
    const spent = totp(secret, 1);
    await code.fill(spent);
    await button("Go on").click();
    await inside();
    await out();
    await password("ada", PASSWORD);
    await code.fill(spent);
    await button("Go on").click();
    await page.getByText("That code is not right, or was used before").waitFor();
  });

  await step("a recovery code gets in, once", async () => {
    await button("Use a recovery code").click();
    await label("Recovery code").fill(codes[0]);
    await button("Go on").click();
    await inside();
    await out();
    await password("ada", PASSWORD);
    await button("Use a recovery code").click();
    await label("Recovery code").fill(codes[0]);
    await button("Go on").click();
    await page.getByText("That code is not right, or was used before").waitFor();
    await label("Recovery code").fill(codes[1]);
    await button("Go on").click();
    await inside();
  });

  // A second person, made by the first: link, passkey, and a device of their own.
  const rosa = await person();
  let hers;
  await step("somebody invited chooses a password and makes a passkey", async () => {
    const made = await server("POST", "/users", { name: "rosa", role: "responder" });
    truly("there is a link", /#/.test(made.link ?? ""));
    hers = await rosa.newPage();
    const cdp = await rosa.newCDPSession(hers);
    await cdp.send("WebAuthn.enable");
    await cdp.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await visit(rosa, `/first-run#${made.link.split("#")[1]}`, "form");
    await label("Password", hers).fill(PASSWORD);
    await label("Password again", hers).fill(PASSWORD);
    await hers.locator("button[type=submit]").click();
    await hers.getByRole("heading", { name: "Add a second factor" }).waitFor();
    await label("Name of the passkey", hers).fill("laptop <b>of</b> rosa");
    await button("Add a passkey", hers).click();
    await hers.getByRole("heading", { name: "Recovery codes" }).waitFor();
    await label("I have kept them", hers).check();
    await button("Go on", hers).click();
    await inside(hers);
  });
  await step("the passkey alone signs in", async () => {
    await out(hers);
    await button("Sign in with a passkey", hers).click();
    await inside(hers);
    const me = (await ask(rosa, "/api/v1/me")).json();
    equal("who", [me.name, me.role, me.second_factor], ["rosa", "responder", true]);
  });
  await step("the passkey is a second factor, too", async () => {
    await out(hers);
    await password("rosa", PASSWORD, hers);
    await button("Use a passkey", hers).click();
    await inside(hers);
    await rosa.close();
  });

  await step("a session that ends in the middle of a form loses nothing", async () => {
    const made = await server("POST", "/users", { name: "mio", role: "analyst" });
    const context = await person();
    const his = await visit(context, `/first-run#${made.link.split("#")[1]}`, "form");
    await label("Password", his).fill(PASSWORD);
    await label("Password again", his).fill(PASSWORD);
    await his.locator("button[type=submit]").click();
    await inside(his);
    await visit(context, "/alerts", "[role=grid] .grid-row");
    await his.locator("[role=grid]").focus();
    await his.keyboard.press("j");
    const id = (await his.locator(".alerts-bar-count").innerText()).trim();
    await his.keyboard.press("A");
    const words = "typed before the session ended";
    await label("Why", his).fill(words);
    await server("DELETE", `/users/${made.user?.id ?? made.id}/sessions`);
    await his
      .getByRole("dialog")
      .getByRole("button", { name: /^Acknowledge/ })
      .click();
    const over = his.getByRole("dialog", { name: "Your session has ended" });
    await over.waitFor();
    await label("Name", over).fill("mio");
    await label("Password", over).fill(PASSWORD);
    await over.getByRole("button", { name: "Sign in", exact: true }).click();
    await over.waitFor({ state: "detached" });
    await until(`the note is on ${id}`, async () => (await server("GET", `/alerts/${id}`)).handled?.note === words);
    equal("the page", new URL(his.url()).pathname.split("/")[1], "alerts");
    await context.close();
  });

  if (given.oidc) {
    await step("a provider signs in, and nobody it does not vouch for", async () => {
      const context = await person();
      const theirs = await visit(context, "/login", "form");
      // The provider of the tests asks nothing: a cookie says who comes.
      const who = async (name) => {
        await context.clearCookies();
        await context.addCookies([{ name: "login", value: name, url: given.oidc }]);
        await visit(context, "/login", "form");
        await theirs.getByRole("link", { name: "Sign in with Corp" }).click();
      };
      await who("eve");
      await theirs.getByText("The provider did not let you in").waitFor();
      await who("bob");
      await inside(theirs);
      const me = (await ask(context, "/api/v1/me")).json();
      equal("role", me.role, "analyst");
      await context.close();
    });
  }
});
