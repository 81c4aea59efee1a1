/** Requests that were sent before there was a console to send them. Has no imports: it comes first. */

export interface Early {
  /** When it was sent, in ms. */
  sent: number;
  answer: Promise<Response>;
}

const asked = new Map<string, Early>();

/** Asks for a path of the API that the console is going to ask for. */
export function askEarly(path: string): void {
  const answer = fetch(path, { headers: { Accept: "application/json" } });
  answer.catch(() => undefined); // who takes it hears of it
  asked.set(path, { sent: Date.now(), answer });
}

/** What was asked early, once: whoever asks again wants news. */
export function takeEarly(method: string, path: string): Early | undefined {
  const early = method === "GET" ? asked.get(path) : undefined;
  asked.delete(path);
  return early;
}
