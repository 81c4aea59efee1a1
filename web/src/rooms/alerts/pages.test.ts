import { describe, expect, it } from "vitest";
import { type Bring, pages } from "./pages";

/** A list of so many pages whose answers are let go one by one. */
function list(total: number, early: boolean) {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const signals: AbortSignal[] = [];
  const bring: Bring<string> = (after, limit, signal, onNext) => {
    asked.push(`${after || "0"}:${limit}`);
    signals.push(signal);
    const n = Number(after || 0) + 1;
    const next = n < total ? String(n) : "";
    if (early && next) onNext(next);
    return new Promise((resolve) => answers.push(() => resolve({ items: [`page ${n}`], next })));
  };
  return { asked, answers, signals, bring };
}
const soon = () => new Promise((resolve) => setTimeout(resolve, 0));

describe("pages", () => {
  it("asks for the next page as soon as its cursor is known, and for no more", async () => {
    const { asked, answers, bring } = list(5, true);
    const all = pages(bring, 100, 1000, new AbortController().signal);
    const first = all.next();
    expect(asked).toEqual(["0:100", "1:1000"]);
    answers[1]?.(); // the second is here before the first: they stay in order
    await soon();
    expect(asked).toHaveLength(2);
    answers[0]?.();
    expect((await first).value).toEqual({ items: ["page 1"], next: "1" });
    expect(asked).toHaveLength(3);
  });

  it("brings every page of a server that names the next one at the end only", async () => {
    const { asked, answers, bring } = list(3, false);
    const got: string[] = [];
    const done = (async () => {
      for await (const page of pages(bring, 1, 2, new AbortController().signal)) got.push(...page.items);
    })();
    for (let n = 0; n < 3; n++) {
      await soon();
      answers[n]?.();
    }
    await done;
    expect(got).toEqual(["page 1", "page 2", "page 3"]);
    expect(asked).toEqual(["0:1", "1:2", "2:2"]);
  });

  it("lets go what nobody reads any more", async () => {
    const { answers, signals, bring } = list(9, true);
    answers.length = 0;
    const reading = (async () => {
      for await (const _ of pages(bring, 1, 2, new AbortController().signal)) break;
    })();
    answers[0]?.();
    await reading;
    expect(signals.every((signal) => signal.aborted)).toBe(true);
  });

  it("ends with the fault of a page", async () => {
    const all = pages(() => Promise.reject(new Error("away")), 1, 2, new AbortController().signal);
    await expect(all.next()).rejects.toThrow("away");
    expect((await all.next()).done).toBe(true);
  });
});
