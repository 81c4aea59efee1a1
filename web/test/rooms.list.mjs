/** Every room of the console, and a mark that it has come. */
export const ROOMS = [
  ["overview", "/"],
  ["alerts", "/alerts"],
  ["incidents", "/incidents"],
  ["sessions", "/sessions"],
  ["attackers", "/attackers"],
  ["tokens", "/tokens"],
  ["response", "/response"],
  ["attack", "/attack"],
  ["map", "/map"],
  ["hunt", "/hunt"],
  ["rules", "/rules"],
  ["health", "/sensors"],
  ["reports", "/reports"],
  ["compliance", "/reports/compliance"],
  ["audit", "/audit"],
  ["settings", "/settings"],
];

/** Waits until a room shows what it has: nothing loads any more. */
export async function settled(page, within = 15_000) {
  await page.locator("main .room").waitFor({ timeout: within });
  await page
    .waitForFunction(
      () => document.querySelectorAll("main .view-loading, main [aria-busy=true]").length === 0,
      undefined,
      {
        timeout: within,
      },
    )
    .catch(() => undefined);
  await page.waitForTimeout(250);
}
