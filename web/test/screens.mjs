/** Pictures of every room, for the guide: small ones, of a store that looks like a morning. */
import { mkdirSync } from "node:fs";
import { given, person, server, step, suite } from "./rig.mjs";
import { ROOMS, settled } from "./rooms.list.mjs";

await suite(async () => {
  mkdirSync(given.into, { recursive: true });
  const take = async (page, name, path) => {
    await page.goto(given.base + path, { waitUntil: "domcontentloaded" });
    await settled(page);
    await page.waitForTimeout(700);
    await page.screenshot({ path: `${given.into}/${name}.png`, animations: "disabled" });
  };
  const sessions = (await server("GET", "/sessions?limit=200")).items;
  const session = sessions.find((one) => one.recorded || one.recording || one.commands > 3) ?? sessions[0];
  const [incident] = (await server("GET", "/incidents?limit=1")).items;
  const [alert] = (await server("GET", "/alerts?severity=critical&limit=1")).items;
  const views = [
    ...ROOMS,
    ["alert", `/alerts/${alert.short}?sort=-severity`],
    ["replay", `/sessions/${encodeURIComponent(session.id)}`],
    ["incident", `/incidents/${incident.short}`],
    ["blocks", "/response?view=blocks"],
  ];
  for (const [look, colorScheme] of [
    ["", "dark"],
    ["-light", "light"],
  ]) {
    const context = await person({ cookie: given.cookie, colorScheme });
    const page = await context.newPage();
    for (const [name, path] of views) await step(`${name}${look}`, () => take(page, name + look, path));
    await context.close();
  }
  const narrow = await person({ cookie: given.cookie, viewport: { width: 360, height: 740 } });
  const phone = await narrow.newPage();
  for (const [name, path] of views.filter(([one]) => ["overview", "alert", "incident"].includes(one)))
    await step(`${name}-narrow`, () => take(phone, `${name}-narrow`, path));
  const stranger = await person();
  await step("login", async () => {
    const page = await stranger.newPage();
    await page.goto(`${given.base}/login`);
    await page.locator(".login-box form").waitFor();
    await page.screenshot({ path: `${given.into}/login.png` });
  });
});
