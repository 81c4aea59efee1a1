/** Every room, empty and full, in every theme; what it does when the server fails; narrow and large. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { equal, expect, given, pause, person, server, step, styles, suite, truly, until, visit } from "./rig.mjs";
import { ROOMS, settled } from "./rooms.list.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const LOOKS = [
  ["dark", { colorScheme: "dark", contrast: "no-preference" }],
  ["light", { colorScheme: "light", contrast: "no-preference" }],
  ["high contrast", { colorScheme: "dark", contrast: "more" }],
];

/** What axe finds, in words; colours alone in the looks that differ by nothing else. */
async function faults(page, colours) {
  await page.evaluate(axe);
  return page.evaluate(async (only) => {
    const options = only
      ? { runOnly: { type: "rule", values: ["color-contrast"] } }
      : { runOnly: { type: "tag", values: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] } };
    const { violations } = await window.axe.run(document, { ...options, resultTypes: ["violations"] });
    return violations.map(
      (one) =>
        `${one.impact} ${one.id}: ${one.nodes
          .slice(0, 3)
          .map((node) => `${node.target.join(" ")} ${node.any[0]?.message ?? ""}`)
          .join(" | ")}`,
    );
  }, colours);
}

await suite(async () => {
  expect(404, 409, 500, 0);
  const context = await person({ cookie: given.cookie });
  const page = await context.newPage();

  for (const [name, path] of ROOMS) {
    await step(`${name} opens${given.empty ? " empty" : ""}, and axe finds nothing`, async () => {
      await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
      await settled(page);
      equal("parts that stopped working", await page.locator(".view-error, .boundary").count(), 0);
      const found = [];
      for (const [look, media] of given.empty ? LOOKS.slice(0, 1) : LOOKS) {
        await page.emulateMedia(media);
        for (const fault of await faults(page, look !== "dark")) found.push(`${look}: ${fault}`);
      }
      await page.emulateMedia(LOOKS[0][1]);
      equal("style elements", await styles(page), 0);
      equal("axe", found, []);
    });
  }
  if (given.empty) return;

  await step("a refused change goes back, and says so", async () => {
    await visit(context, "/alerts", "[role=grid] .grid-row");
    for (const status of [500, 409]) {
      await page.route("**/api/v1/alerts/status", (route) =>
        route.fulfill({
          status,
          contentType: "application/problem+json",
          body: JSON.stringify({ status, title: "no", detail: `refused ${status}` }),
        }),
      );
      await page.locator("[role=grid]").focus();
      await page.keyboard.press("j");
      const row = page.locator(".grid-current").first();
      const before = await row.textContent();
      await page.keyboard.press("a");
      await page.getByText(`refused ${status}`).waitFor();
      equal("the row", (await row.textContent()).replace(/\d+ ?[smhd]\w*/g, ""), before.replace(/\d+ ?[smhd]\w*/g, ""));
      await page.unroute("**/api/v1/alerts/status");
    }
  });
  await step("a stream that is cut comes back without loss or double", async () => {
    // A wire of our own between the browser and the server, which can be cut.
    let cut = false;
    const open = new Set();
    const wire = createServer((near) => {
      if (cut) return near.destroy();
      const far = connect(Number(new URL(given.base).port), "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ]) {
        open.add(one);
        one.pipe(other);
        one.on("error", () => undefined);
        one.on("close", () => {
          open.delete(one);
          other.destroy();
        });
      }
      return undefined;
    });
    await new Promise((ready) => wire.listen(0, "127.0.0.1", ready));
    await page.goto(`https://localhost:${wire.address().port}/alerts?who=any`);
    await page.locator("[role=grid] .grid-row").first().waitFor();
    await page.locator(".status-connected").first().waitFor();
    cut = true;
    for (const one of open) one.destroy();
    await page.locator(".status-reconnecting, .status-stale").first().waitFor({ timeout: 15_000 });
    const marker = `cut ${Date.now()}`;
    await server(
      "POST",
      "/ingest?format=generic&wait=true",
      `${JSON.stringify({ id: marker, timestamp: new Date().toISOString(), source_ip: "203.0.113.77", event_type: "cut", description: marker, severity: "critical" })}\n`,
    );
    await pause(given.cut ?? 8000);
    cut = false;
    await page.locator(".status-connected").first().waitFor({ timeout: 20_000 });
    await page.locator("[role=grid]").focus();
    await page.keyboard.press(".");
    await page.keyboard.press("/");
    await page.keyboard.type("src:203.0.113.77");
    await page.keyboard.press("Enter");
    await until("the row is there once", async () => (await page.locator(".grid-row").count()) === 1, 15_000);
    wire.close();
  });
  await step("320 px and 200 % zoom: an alert can be read and handled", async () => {
    const narrow = await person({ cookie: given.cookie, viewport: { width: 360, height: 740 } });
    const phone = await visit(narrow, "/alerts", "[role=grid] .grid-row");
    const wide = () =>
      phone.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    truly(`the queue is ${await wide()} px too wide`, (await wide()) <= 0);
    await phone.locator(".grid-row").first().dblclick();
    await phone
      .getByRole("button", { name: /^Acknowledge/ })
      .first()
      .waitFor();
    truly(`the detail is ${await wide()} px too wide`, (await wide()) <= 0);
    truly(
      "the button is on the screen",
      (
        await phone
          .getByRole("button", { name: /^Acknowledge/ })
          .first()
          .boundingBox()
      ).x < 360,
    );
    equal("axe", await faults(phone, false), []);
    await narrow.close();
    const large = await person({ cookie: given.cookie, viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 });
    const zoomed = await visit(large, "/response", "main .room");
    await settled(zoomed);
    truly(
      "approvals at 200 %",
      (await zoomed.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)) <= 0,
    );
    await large.close();
  });
});
