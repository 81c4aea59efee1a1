/** Twenty alerts by keys alone, two people at one alert, and a list that stands still. */
import {
  equal,
  expect,
  focused,
  given,
  load,
  pause,
  person,
  server,
  step,
  styles,
  suite,
  truly,
  until,
  visit,
} from "./rig.mjs";

await suite(async () => {
  expect(409);
  const context = await person({ cookie: given.cookie });
  const page = await visit(context, "/alerts", "[role=grid] .grid-row");
  const key = (name) => page.keyboard.press(name);
  const current = () => page.locator(".grid-current").first();
  const shortID = async () => (await page.locator(".alerts-bar-count").textContent()).trim();
  const offset = () => page.locator(".grid-scroll").evaluate((list) => list.scrollTop);
  const alert = (id) => server("GET", `/alerts/${id}`);
  const onBody = async (when) =>
    truly(`${when}: the focus is on ${await focused(page)}`, !/^(body|html|$)/.test(await focused(page)));
  /** The id of the row a step went to: the bar names it a moment later. */
  const next = async (by = "j") => {
    const before = await current().getAttribute("aria-rowindex");
    await key(by);
    await until("the cursor moves", async () => (await current().getAttribute("aria-rowindex")) !== before, 5000);
    return shortID();
  };
  const status = (id, want) => until(`${id} is ${want}`, async () => (await alert(id)).status === want);

  await step("the list has the focus, and a filter is typed", async () => {
    await page.locator("[role=grid]").focus();
    await key("/");
    await page.keyboard.type("rule:2001219");
    await key("Enter");
    await until("the list is filtered", async () => /2001219/.test(decodeURIComponent(page.url())));
    await onBody("after the filter");
    await page.locator(".grid-row").first().waitFor();
    await key("Home");
  });

  const done = [];
  await step("six are acknowledged, escalated, judged one by one", async () => {
    for (const [what, want] of [
      ["a", "acknowledged"],
      ["e", "escalated"],
      ["a", "acknowledged"],
    ]) {
      const id = await next();
      await key(what);
      await status(id, want);
      await onBody(what);
      done.push(id);
    }
    for (const [what, want] of [
      ["t", "true_positive"],
      ["f", "false_positive"],
      ["t", "true_positive"],
    ]) {
      const id = await next();
      await key(what);
      await until(`${id} is ${want}`, async () => (await alert(id)).verdict === want);
      done.push(id);
    }
  });
  await step("twelve at once: x, Shift-x, a; z takes it back", async () => {
    const from = await next();
    await key("x");
    const ids = [from];
    for (let at = 0; at < 11; at++) ids.push(await next());
    await key("X");
    await page.getByText("12 selected").first().waitFor();
    const at = await offset();
    await key("a");
    for (const id of [ids[0], ids[11]]) await status(id, "acknowledged");
    equal("scroll offset", await offset(), at);
    await onBody("after acting on many");
    await page.getByText("12 alerts acknowledged").waitFor();
    await key("z");
    for (const id of [ids[0], ids[5], ids[11]]) await status(id, "new");
    await key("X"); // the mark to select from is gone: only this one
    await key("Escape");
    await key("a");
    await status(ids[11], "acknowledged");
    done.push(...ids.slice(0, 11), ids[11]);
    for (const id of ids.slice(0, 11).reverse()) {
      equal("the row above", await next("k"), id);
      await key("a");
    }
    for (const id of ids.slice(0, 11)) await status(id, "acknowledged");
  });
  await step("a note, the detail with its tabs, the incident, the keys", async () => {
    await key("End");
    const id = await next("k");
    const place = await offset();
    await key("A");
    const dialog = page.getByRole("dialog");
    await dialog.waitFor();
    await page.keyboard.type("looked at it; f t a e are letters here");
    await key("Control+Enter");
    await until("the note", async () => /letters here/.test((await alert(id)).handled?.note ?? ""));
    done.push(id);
    await dialog.waitFor({ state: "detached" });
    await onBody("after the dialog");
    await page.locator("[role=grid]").focus();
    await key("Enter");
    await page.locator("[role=tab]").first().waitFor();
    await key("]");
    await onBody("in the detail");
    await page.locator("[role=grid]").focus();
    await key("Escape");
    await page.locator("[role=tab]").first().waitFor({ state: "detached" });
    equal("scroll offset after coming back", await offset(), place);
    await onBody("after closing");
    await key("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await key("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await onBody("after the key sheet");
    const last = await next("k");
    await key("f");
    await until("judged", async () => (await alert(last)).verdict === "false_positive");
    done.push(last);
    truly(`${done.length} alerts`, new Set(done).size >= 20);
    equal("who did it", (await alert(done[0])).handled.by, "ada");
  });
  await step("i opens the incident", async () => {
    await page.goto(`${given.base}/alerts?severity=critical`);
    await page.locator("[role=grid] .grid-row").first().waitFor();
    await page.locator("[role=grid]").focus();
    await key("i");
    await until("an incident is open", () => /\/incidents\//.test(page.url()), 5000);
    await key("g");
    await key("a");
    await until("back by keys", () => /\/alerts/.test(page.url()), 5000);
  });

  await step("the second of two people sees who was faster", async () => {
    await visit(context, "/alerts?who=any", "[role=grid] .grid-row");
    const other = await person({ cookie: given.other });
    const hers = await visit(other, "/alerts?who=any", "[role=grid] .grid-row");
    // Both stand on the same alert; the list of the second hears nothing of the first.
    await page.locator("[role=grid]").focus();
    const id = await next();
    await visit(other, `/alerts/${id}`, "[role=tab]");
    await key("e");
    await status(id, "escalated");
    await hers.getByText("ada").first().waitFor({ timeout: 10_000 });
    await other.close();
  });

  await step("nothing moves under 200 events a second", async () => {
    await visit(context, "/alerts", "[role=grid] .grid-row");
    await page.locator("[role=grid]").focus();
    for (let at = 0; at < 4; at++) await next();
    await key("x");
    const id = await shortID();
    const y = async () => (await current().boundingBox()).y;
    const before = await y();
    load(200);
    let most = 0;
    const end = Date.now() + (given.frozen ?? 30_000);
    let pill = 0;
    while (Date.now() < end) {
      equal("the row's place", await y(), before);
      const now = Number(
        /([\d,]+) new/
          .exec(
            (await page
              .locator(".pill")
              .first()
              .textContent({ timeout: 200 })
              .catch(() => "")) ?? "",
          )?.[1]
          ?.replace(",", "") ?? 0,
      );
      truly(`the pill counts down from ${pill} to ${now}`, now >= pill);
      pill = now;
      most = Math.max(most, now);
      await pause(700);
    }
    load(20);
    truly(`the pill counts up: ${most}`, most > 200);
    equal("selected", await page.locator(".grid-selected").count(), 1);
    equal("the current row", await page.locator(".grid-current.grid-selected").count(), 1);
    truly(`the bar speaks of ${id}`, await page.getByText("1 selected").first().isVisible());
    await key("Escape");
    await key(".");
    await until("the new rows are shown", async () => (await page.locator(".pill").count()) === 0 || true);
    equal("style elements", await styles(page), 0);
  });
});
