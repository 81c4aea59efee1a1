/**
 * Pages of a list in their order, the next one asked for while one is read: the
 * server works, and the line is used, while rows are put in their place.
 */

export interface PageOf<T> {
  items: T[];
  next: string;
}
/** Brings a page. onNext may be called before the rows are here, with the cursor of the page after it. */
export type Bring<T> = (
  after: string,
  limit: number,
  signal: AbortSignal,
  onNext: (after: string) => void,
) => Promise<PageOf<T>>;

/** Pages asked for and not yet read, at most. */
const AHEAD = 2;

export async function* pages<T>(
  bring: Bring<T>,
  first: number,
  rest: number,
  signal: AbortSignal,
): AsyncGenerator<PageOf<T>> {
  const enough = new AbortController();
  const ends = AbortSignal.any([signal, enough.signal]);
  const asked: Promise<PageOf<T>>[] = [];
  // The cursor of the page to ask for; null while it is not known, or when there is none.
  let after: string | null = "";
  const ask = () => {
    if (after === null || asked.length >= AHEAD) return;
    const from = after;
    after = null;
    let told = false;
    let sent = false;
    const tell = (next: string) => {
      if (told) return;
      told = true;
      after = next === "" ? null : next;
      if (sent) ask();
    };
    const page = bring(from, from === "" ? first : rest, ends, tell).then((got) => {
      tell(got.next);
      return got;
    });
    page.catch(() => undefined); // whoever reads it hears of it
    asked.push(page);
    sent = true;
    ask();
  };
  ask();
  try {
    for (let page = asked[0]; page; page = asked[0]) {
      const got = await page;
      asked.shift();
      ask();
      yield got;
    }
  } finally {
    enough.abort();
  }
}
