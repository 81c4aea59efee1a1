/** What people come for: a replay, a block that is approved, the audit log verified, exports. */
import { readFileSync } from "node:fs";
import { equal, given, person, server, step, styles, suite, truly, until, visit } from "./rig.mjs";
import { settled } from "./rooms.list.mjs";

await suite(async () => {
  const context = await person({ cookie: given.cookie, acceptDownloads: true });
  const page = await context.newPage();
  const open = async (path) => {
    await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
    await settled(page);
  };
  const saved = async (act) => {
    const [download] = await Promise.all([page.waitForEvent("download", { timeout: 20_000 }), act()]);
    return { name: download.suggestedFilename(), text: readFileSync(await download.path(), "utf8") };
  };

  await step("a session is replayed in a frame that may nothing", async () => {
    const sessions = (await server("GET", "/sessions?limit=200")).items;
    const session = sessions.find((one) => one.recorded || one.recording || one.commands > 3) ?? sessions[0];
    await open(`/sessions/${encodeURIComponent(session.id)}`);
    const clock = page.locator(".replay-clock");
    await clock.waitFor();
    const before = await clock.textContent();
    await page.locator(".replay-toggle").click();
    await until("it plays", async () => (await clock.textContent()) !== before);
    const frame = page.frames().find((one) => one.url().endsWith("/replay/frame.html"));
    truly("something is on the screen", /\$|#/.test(await frame.locator("body").innerText()));
    const refused = await frame.evaluate(async () => {
      const tries = {
        cookie: () => document.cookie,
        storage: () => localStorage.length,
        parent: () => window.parent.document.title,
      };
      const out = { origin: self.origin };
      for (const [name, attempt] of Object.entries(tries)) {
        try {
          attempt();
          out[name] = "open";
        } catch (error) {
          out[name] = error.name;
        }
      }
      return out;
    });
    equal("from inside the frame", refused, {
      origin: "null",
      cookie: "SecurityError",
      storage: "SecurityError",
      parent: "SecurityError",
    });
    await page.keyboard.press("Escape");
  });
  await step("nothing in the frame reaches the network", async () => {
    // A page of its own without the hooks: the refusal is a violation, and wanted.
    const alone = await person({ cookie: given.cookie, trusting: false });
    const frame = await alone.newPage();
    const reached = [];
    frame.on("request", (request) => reached.push(request.url()));
    await frame.goto(`${given.base}/replay/frame.html`);
    const base = reached.length;
    const answer = await frame.evaluate(() =>
      fetch("/api/v1/me").then(
        () => "open",
        (error) => error.name,
      ),
    );
    equal("fetch", answer, "TypeError");
    truly(`it asked for ${reached.slice(base)}`, !reached.slice(base).some((url) => url.includes("/api/")));
    await alone.close();
  });

  await step("a block waits for a person, who approves it", async () => {
    const waiting = await until(
      "an approval",
      async () => (await server("GET", "/approvals?all=true")).items[0],
      30_000,
    );
    await open("/response");
    const card = page.locator("article.approval").filter({ hasText: waiting.short }).first();
    await card.waitFor();
    await card.getByRole("button", { name: /^Approve/ }).click();
    const ask = page.getByRole("dialog");
    await ask.waitFor();
    await ask.getByText("Revert the run").waitFor();
    const why = ask.locator("textarea");
    if (await why.count()) await why.fill("seen it myself");
    await ask
      .getByRole("button", { name: /^Approve/ })
      .last()
      .click();
    await ask.waitFor({ state: "detached" });
    await until("the run went on", async () => {
      const run = await server("GET", `/runs/${waiting.run}`);
      return !["waiting", "running"].includes(run.status ?? run.state);
    });
    const blocks = await until("a block", async () => {
      const { items } = await server("GET", "/blocks");
      return items.length > 0 ? items : undefined;
    });
    await open("/response?view=blocks");
    await page
      .getByText(String(blocks[0].prefix ?? blocks[0].target ?? blocks[0].addr ?? "127.0.0.1").replace(/\/32$/, ""))
      .first()
      .waitFor();
  });

  await step("the audit log is verified, and holds who did it", async () => {
    await open("/audit");
    await page
      .getByRole("button", { name: /^Verify/ })
      .first()
      .click();
    await page
      .getByText(/sound|whole|unchanged/i)
      .first()
      .waitFor({ timeout: 20_000 });
    const entries = (await server("GET", "/audit?limit=200")).items;
    truly(
      "the approval is in it",
      entries.some(
        (entry) => /approv|decide/.test(entry.action ?? entry.verb ?? "") && /ada/.test(JSON.stringify(entry)),
      ),
    );
    equal("style elements", await styles(page), 0);
  });

  await step("alerts as CSV: no cell is a formula", async () => {
    await open("/alerts?status=all&who=any");
    const file = await saved(async () => {
      await page.getByRole("button", { name: /^Views/ }).click();
      await page.getByRole("menuitem", { name: "Export as CSV" }).click();
    });
    truly(`the name ${file.name}`, /^[\w.-]+\.csv$/.test(file.name));
    truly("the hostile cell is in it", /cmd\|/.test(file.text));
    truly(`cells: ${file.text.split("\n").length} lines`, file.text.split("\n").length > 50);
    for (const cell of cells(file.text))
      truly(
        `a formula: ${cell.slice(0, 80)}`,
        !/^\s*[=+@|%\uff1d\uff0b\uff0d\uff20-]/.test(cell) || /^-?\d+(\.\d+)?$/.test(cell),
      );
  });
  await step("an incident is exported", async () => {
    const [incident] = (await server("GET", "/incidents?limit=5")).items;
    await open(`/incidents/${encodeURIComponent(incident.short)}`);
    const file = await saved(async () => {
      await page
        .getByRole("button", { name: /^Export/ })
        .first()
        .click();
      await page.getByRole("menuitem", { name: /JSON/i }).click();
    });
    truly(
      `${file.name} speaks of ${incident.short}`,
      file.text.includes(incident.short) && /^[\w.-]+$/.test(file.name),
    );
  });
});

/** The cells of a CSV text (RFC 4180). */
function* cells(text) {
  for (const [, quoted, plain] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r?\n|$)/g)) {
    const cell = quoted ?? plain ?? "";
    if (cell !== "") yield cell;
  }
}
