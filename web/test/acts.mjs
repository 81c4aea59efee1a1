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
  await step("evidence is held, collected, verified and handed over with a reason", async () => {
    const [incident] = (await server("GET", "/incidents?limit=5")).items;
    const path = `/incidents/${encodeURIComponent(incident.short)}`;
    await open(`${path}?tab=evidence`);
    const part = (title) => page.locator("section", { has: page.getByRole("heading", { name: title, exact: true }) });
    const ask = async (from, button, reason) => {
      await from.getByRole("button", { name: button, exact: true }).first().click();
      const dialog = page.getByRole("dialog");
      const verb = dialog.getByRole("button", { name: new RegExp(`^${button}`) });
      await dialog.getByRole("textbox").fill(reason);
      await verb.click();
      await dialog.waitFor({ state: "hidden" });
    };
    await ask(part("Legal hold"), "Place a legal hold", "order 12");
    await part("Legal hold").getByText("Held: H-").waitFor();
    await ask(part("Sealed archives"), "Collect evidence", "order 12 Js 34/26");
    const row = part("Sealed archives").locator("tbody tr").first();
    await row.getByText("order 12 Js 34/26").waitFor();
    await row.getByRole("button", { name: "Verify" }).and(page.locator(":enabled")).click();
    await part("Sealed archives").getByText("sealed by entry").waitFor();
    await row.getByText("it is sound").waitFor();
    await row.getByRole("button", { name: "Download" }).click();
    const dialog = page.getByRole("dialog");
    const take = dialog.getByRole("button", { name: /^Download/ });
    truly("nothing leaves without a reason", await take.isDisabled());
    await dialog.getByRole("textbox").fill("to the court");
    const file = await saved(() => take.click());
    truly(`the archive ${file.name}`, /^I-\d+-E-\d+\.zip$/.test(file.name) && file.text.startsWith("PK"));
    await ask(part("Legal hold"), "Release", "the case is closed");
    await part("Legal hold").getByText("was released by ada").waitFor();
    const chain = part("Chain of custody").locator("tbody");
    await chain.getByText("hold released").waitFor();
    const custody = (await server("GET", `${path}/custody`)).items;
    equal(
      "the chain",
      custody.map((one) => one.act),
      ["hold_placed", "collected", "verified", "exported", "hold_released"],
    );
    truly(
      "each step names its entry",
      custody.every((one) => one.audit >= 0),
    );
    equal("rows", await chain.locator("tr").count(), custody.length);
    if (given.shots) await page.screenshot({ path: `${given.shots}/evidence.png`, fullPage: true });
    equal("style elements", await styles(page), 0);
  });
});

/** The cells of a CSV text (RFC 4180). */
function* cells(text) {
  for (const [, quoted, plain] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?:,|\r?\n|$)/g)) {
    const cell = quoted ?? plain ?? "";
    if (cell !== "") yield cell;
  }
}
