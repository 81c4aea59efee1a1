/**
 * What every browser suite stands on: a real Chromium, hooks that see what must
 * never happen, steps that become subtests, and the server's own door to compare
 * with. The Go tests of test/ui start the product and run a suite with all it
 * needs in the variable HONEYGUIDE_UI; each line of JSON printed here is for them.
 */
import { createHmac } from "node:crypto";
import { mkdirSync } from "node:fs";
import { request } from "node:http";
import { request as secure } from "node:https";
import { chromium } from "playwright-core";

/** base, spki, socket, link, cookies, decoys, ... as test/ui says. */
export const given = JSON.parse(process.env.HONEYGUIDE_UI ?? "{}");

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

/** How many events a second the loader sends from now on. */
export const load = (rate) => say({ load: rate });
/** A figure for the table of the benchmark. */
export const figure = (name, value, unit, limit) => say({ figure: name, value, unit, limit });

let faults = 0;
/** One thing that holds or does not. */
export function check(name, ok, detail = "") {
  if (!ok) faults++;
  say({ check: name, ok: Boolean(ok), detail: ok ? "" : String(detail) });
}

/** Runs a step without which nothing goes on. */
export async function first(name, run) {
  if (!(await step(name, run))) throw new Error(`nothing goes on without: ${name}`);
}

/** Runs a step; what it throws is its fault, with a picture of every page. */
export async function step(name, run) {
  // HONEYGUIDE_UI_ONLY=PATTERN runs some steps alone, for who works on one.
  if (process.env.HONEYGUIDE_UI_ONLY && !new RegExp(process.env.HONEYGUIDE_UI_ONLY).test(name)) return true;
  const began = Date.now();
  try {
    await run();
    say({ check: name, ok: true, ms: Date.now() - began });
    return true;
  } catch (error) {
    faults++;
    const pictures = [];
    for (const [at, page] of pages.filter((one) => !one.isClosed()).entries()) {
      const file = `${given.shots ?? "/tmp"}/${name.replace(/\W+/g, "-").slice(0, 60)}-${at}.png`;
      await page.screenshot({ path: file, timeout: 5000 }).then(
        () => pictures.push(file),
        () => undefined,
      );
    }
    say({
      check: name,
      ok: false,
      detail: `${String(error?.stack ?? error).slice(0, 1500)}\npictures: ${pictures.join(" ")}`,
    });
    return false;
  }
}

export function equal(what, got, want) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(want)];
  if (a !== b) throw new Error(`${what}: got ${a}, want ${b}`);
}
export function truly(what, ok) {
  if (!ok) throw new Error(what);
}

const pages = [];
/** What must never happen, in any suite. */
export const trouble = [];
/** Answers a suite asks for on purpose: the browser writes them to its console. */
const expected = new Set();
export const expect = (...status) => {
  for (const one of status) expected.add(String(one));
};

let browser;
export async function launch() {
  browser ??= await chromium.launch({
    executablePath: given.chromium ?? "/usr/bin/chromium",
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      // Two cores and no display: what is behind another page works on.
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      // The certificate of a fresh installation, by its key: for the page it is a good one, as passkeys want.
      `--ignore-certificate-errors-spki-list=${given.spki}`,
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ],
  });
  return browser;
}

/** A person at a browser of their own: signed in when a cookie is given. */
export async function person(options = {}) {
  const { cookie, trusting = true, ...rest } = options;
  const context = await (await launch()).newContext({
    viewport: { width: 1440, height: 900 },
    colorScheme: "dark",
    ...rest,
  });
  context.setDefaultTimeout(10_000);
  if (trusting) await watch(context);
  if (cookie)
    await context.addCookies([
      { name: "__Host-honeyguide", value: cookie, url: given.base, secure: true, httpOnly: true, sameSite: "Strict" },
    ]);
  return context;
}

async function watch(context) {
  await context.exposeFunction("__violation", (text) => trouble.push(`CSP: ${text}`));
  await context.addInitScript(() =>
    document.addEventListener("securitypolicyviolation", (event) =>
      window.__violation(
        `${event.violatedDirective} | ${event.blockedURI} | ${event.sourceFile}:${event.lineNumber} | ${(event.sample || "").slice(0, 60)}`,
      ),
    ),
  );
  context.on("page", (page) => {
    pages.push(page);
    page.on("pageerror", (error) => trouble.push(`error: ${error.message}`));
    page.on("dialog", (dialog) => {
      trouble.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss().catch(() => undefined);
    });
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = message.text();
      const status = /Failed to load resource.*status of (\d+)/.exec(text)?.[1];
      if (status && expected.has(status)) return;
      if (/Failed to load resource: net::ERR_/.test(text) && expected.has("0")) return;
      trouble.push(`console: ${text} ${message.location().url}`);
    });
  });
}

/** Opens a path and waits until the room is there. */
export async function visit(context, path, wait = "main h1, main .room, .login-box form") {
  const page = context.pages()[0] ?? (await context.newPage());
  await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
  await page.locator(wait).first().waitFor({ timeout: 30_000 });
  return page;
}

/** No element of style is ever made, by nobody. */
export const styles = (page) => page.evaluate(() => document.querySelectorAll("style").length);

/** Runs a suite and ends the process by what came of it. */
export async function suite(run) {
  try {
    if (given.shots) mkdirSync(given.shots, { recursive: true });
    await run();
  } catch (error) {
    check("the suite runs to its end", false, error?.stack ?? error);
  }
  check(
    "no violation, no dialog, no error in any page",
    trouble.length === 0,
    `${trouble.length}:\n${trouble.slice(0, 12).join("\n")}`,
  );
  await browser?.close().catch(() => undefined);
  process.exit(faults > 0 ? 1 : 0);
}

/** Asks the server by its local socket, as its administrator. */
export function server(method, path, body) {
  return new Promise((resolve, reject) => {
    const data = body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body);
    const sent = request(
      {
        socketPath: given.socket,
        method,
        path: `/api/v1${path}`,
        headers:
          data === undefined
            ? {}
            : { "Content-Type": typeof body === "string" ? "application/x-ndjson" : "application/json" },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece) => {
          text += piece;
        });
        answer.on("end", () => {
          if (answer.statusCode >= 400)
            return reject(new Error(`${method} ${path}: ${answer.statusCode} ${text.slice(0, 300)}`));
          const json = /json/.test(answer.headers["content-type"] ?? "") && text !== "";
          resolve(json && !/ndjson/.test(answer.headers["content-type"]) ? JSON.parse(text) : text);
        });
      },
    );
    sent.on("error", reject);
    sent.end(data);
  });
}

/** Asks with the cookies of a browser, past its pages. */
export async function ask(context, path, method = "GET") {
  const cookie = (await context.cookies(given.base)).map((one) => `${one.name}=${one.value}`).join("; ");
  return new Promise((resolve, reject) => {
    const sent = secure(
      `${given.base}${path}`,
      { method, rejectUnauthorized: false, headers: { cookie } },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (piece) => {
          text += piece;
        });
        answer.on("end", () =>
          resolve({ status: answer.statusCode, headers: answer.headers, text, json: () => JSON.parse(text) }),
        );
      },
    );
    sent.on("error", reject);
    sent.end();
  });
}

/** Waits until something is true. */
export async function until(what, ok, within = 15_000) {
  const end = Date.now() + within;
  let last;
  for (;;) {
    try {
      last = await ok();
      if (last) return last;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`not within ${within} ms: ${what} (${String(last?.message ?? last).slice(0, 200)})`);
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
}
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The code an authenticator app shows, now or so many steps of 30 s later (RFC 6238). */
export function totp(secret, ahead = 0) {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const letter of secret.replace(/[\s=]/g, "").toUpperCase())
    bits += letters.indexOf(letter).toString(2).padStart(5, "0");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000) + ahead));
  const hash = createHmac("sha1", key).update(counter).digest();
  const at = (hash.at(-1) ?? 0) & 15;
  return String((hash.readUInt32BE(at) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

/** Where the focus is, for people who read a failure. */
export const focused = (page) =>
  page.evaluate(() => {
    const active = document.activeElement;
    return active
      ? `${active.tagName.toLowerCase()}${active.getAttribute("role") ? `[${active.getAttribute("role")}]` : ""}${active.id ? `#${active.id}` : ""}`
      : "";
  });
