/**
 * Text of attackers in every room: whatever it says, it stays text. A watcher in
 * the page looks at every element, attribute and text from the first moment on.
 */
import { check, equal, expect, given, person, server, step, styles, suite, truly } from "./rig.mjs";
import { ROOMS, settled } from "./rooms.list.mjs";

/** Runs inside the page, before anything else. */
function watcher() {
  const tags = new Set(
    "html head meta title link script body div span main nav header footer section article aside h1 h2 h3 h4 h5 p ul ol li dl dt dd table caption figure figcaption thead tbody tfoot tr th td colgroup col button input textarea select option optgroup datalist label form fieldset legend a code pre b i em strong small time kbd svg path circle rect line polyline polygon ellipse g text defs use desc canvas iframe meter progress output summary details br hr bdi mark search var samp".split(
      " ",
    ),
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  const acts = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/;
  const faults = [];
  const seen = { texts: 0, hostile: 0 };
  window.__watch = { faults, seen };
  const fault = (text) => faults.length < 50 && faults.push(`${location.pathname}: ${text}`);
  const text = (value, where) => {
    seen.texts++;
    if (/onerror|onload|javascript:|<script|\\u001b|\\u202e/i.test(value)) seen.hostile++;
    if (acts.test(value)) fault(`control character in ${where}: ${JSON.stringify(value).slice(0, 120)}`);
  };
  const attribute = (element, { name, value }) => {
    if (/^on/i.test(name)) fault(`handler ${name} on ${element.tagName}`);
    if (name === "srcdoc") fault(`srcdoc on ${element.tagName}`);
    if (["href", "src", "action", "formaction", "xlink:href", "data"].includes(name)) {
      if (/^\s*(javascript|data|vbscript):/i.test(value)) fault(`${name}=${value.slice(0, 80)}`);
      else if (
        !value.startsWith("#") &&
        new URL(value, location.href).origin !== location.origin &&
        !value.startsWith("blob:")
      )
        fault(`link out: ${name}=${value.slice(0, 80)}`);
    }
    if (["class", "id", "name", "for"].includes(name) && /onerror|alert\(|[<>"']/.test(value))
      fault(`attacker's ${name}: ${value.slice(0, 80)}`);
    if (["title", "aria-label", "placeholder", "alt", "value", "aria-valuetext", "aria-description"].includes(name))
      text(value, `${name} of ${element.tagName}`);
  };
  const look = (node) => {
    if (node.nodeType === Node.TEXT_NODE)
      return text(node.data, `text of ${node.parentElement?.tagName}.${node.parentElement?.className}`);
    if (node.nodeType !== Node.ELEMENT_NODE) return undefined;
    const tag = node.tagName.toLowerCase();
    // The page's own word to browsers without scripts stands in it from the start.
    if (!tags.has(tag) && !(tag === "noscript" && node.parentElement === document.body)) fault(`element ${tag}`);
    if (tag === "iframe" && new URL(node.src, location.href).pathname !== "/replay/frame.html")
      fault(`frame ${node.src}`);
    for (const one of node.attributes) attribute(node, one);
    for (const child of node.childNodes) look(child);
    return undefined;
  };
  new MutationObserver((records) => {
    for (const record of records) {
      if (record.type === "attributes") {
        const value = record.target.getAttribute(record.attributeName);
        if (value !== null) attribute(record.target, { name: record.attributeName, value });
      } else if (record.type === "characterData") look(record.target);
      else for (const node of record.addedNodes) look(node);
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

await suite(async () => {
  expect(400, 404);
  const context = await person({ cookie: given.cookie });
  await context.addInitScript(watcher);
  const page = await context.newPage();
  let hostile = 0;
  let texts = 0;

  /** What the watcher saw so far on this page. */
  const verdict = async (name) => {
    const { faults, seen } = await page.evaluate(() => window.__watch);
    hostile += seen.hostile;
    texts += seen.texts;
    equal(`${name}: faults`, faults, []);
    truly(`${name}: the title is ${await page.title()}`, / - Honeyguide$|^Honeyguide$/.test(await page.title()));
    equal(`${name}: style elements`, await styles(page), 0);
    equal(`${name}: a payload ran`, await page.evaluate(() => window.pwned ?? null), null);
  };
  const open = async (path) => {
    await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
    await settled(page);
  };
  /** Goes through all tabs of what is open. */
  const tabs = async () => {
    const all = page.locator("main [role=tab]");
    for (let at = 0; at < (await all.count()); at++) {
      await all.nth(at).click({ timeout: 5000 });
      await page.waitForTimeout(120);
    }
  };

  for (const [name, path] of ROOMS) {
    await step(`${name} shows hostile text as text`, async () => {
      await open(path);
      const grid = page.locator("main [role=grid]").first();
      if (await grid.count()) {
        await grid.focus();
        for (let at = 0; at < 20; at++) {
          await page.keyboard.press("PageDown");
          await page.waitForTimeout(60);
        }
      }
      await tabs();
      await verdict(name);
    });
  }

  const list = async (path) => (await server("GET", path)).items;
  await step("alerts of every kind, opened", async () => {
    const alerts = await list("/alerts?limit=1000");
    const kinds = new Map();
    for (const alert of alerts) {
      const kind = `${alert.detector}|${alert.rule_id?.split(":").slice(0, 2).join(":")}`.slice(0, 60);
      if (!kinds.has(kind)) kinds.set(kind, alert);
    }
    const chosen = [...[...kinds.values()].slice(0, 22), ...alerts.slice(0, 4)];
    for (const alert of chosen) {
      await open(`/alerts/${encodeURIComponent(alert.short)}?status=all&who=any`);
      await page.locator("[role=tab]").first().waitFor();
      await tabs();
      await verdict(alert.short);
    }
    truly(`only ${chosen.length} kinds`, chosen.length >= 10);
  });
  await step("sessions and their replay", async () => {
    for (const session of (await list("/sessions?limit=200")).filter((one, at) => one.recorded || at < 4).slice(0, 6)) {
      await open(`/sessions/${encodeURIComponent(session.id)}`);
      await tabs();
      if (await page.locator(".replay-toggle").count()) {
        await page.locator(".replay-toggle").click();
        await page.waitForTimeout(700);
      }
      await verdict(session.id);
    }
  });
  await step("attackers and incidents, opened", async () => {
    for (const attacker of (await list("/attackers?limit=6")).slice(0, 4)) {
      await open(`/attackers/${encodeURIComponent(attacker.id ?? attacker.key)}`);
      await tabs();
      await verdict(`attacker ${attacker.id}`);
    }
    for (const incident of (await list("/incidents?limit=6")).slice(0, 4)) {
      await open(`/incidents/${encodeURIComponent(incident.short ?? incident.id)}`);
      await tabs();
      await verdict(incident.short);
    }
  });
  await step("addresses that say hostile things", async () => {
    for (const path of [
      "/alerts?q=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&sort=javascript%3Aalert(1)",
      "/alerts/%3Cscript%3Ealert(1)%3C%2Fscript%3E",
      "/sessions/..%2F..%2Fme",
      "/hunt?q=%22%3E%3Csvg%2Fonload%3Dalert(1)%3E",
      "/attackers/%E2%80%AE%3Cimg%20src%3Dx%3E",
      "/login?problem=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&to=//evil.example",
      "/nothing/here?__proto__[x]=1#<img src=x onerror=alert(1)>",
    ]) {
      await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
      await page.waitForTimeout(600);
      equal("where it leads", new URL(page.url()).origin, new URL(given.base).origin);
      await verdict(path);
    }
  });
  check("hostile texts were really on the screen", hostile > 500, `${hostile} of ${texts} texts`);
});
