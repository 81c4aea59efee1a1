import { describe, expect, it } from "vitest";
import { clockAhead } from "../lib/time";
import { connection, readClock } from "./connection";
import { Problem, problemOf } from "./problem";
import { session, signedIn, signedOut, signInAgain } from "./session";

describe("the server's clock", () => {
  const at = (ms: number) => new Date(ms).toUTCString();
  it("is told apart when it is off by more than a second of rounding", () => {
    const now = 1_700_000_000_000;
    readClock(at(now), now, now + 40);
    expect(connection.get().ahead).toBe(0);
    readClock(at(now + 90_000), now, now + 40);
    expect(connection.get().ahead).toBeGreaterThan(89_000);
    expect(clockAhead()).toBe(connection.get().ahead);
    readClock(at(now), now, now);
    expect(connection.get().ahead).toBe(0);
  });
  it("is not believed over a slow line, nor when it is no date", () => {
    const now = 1_700_000_000_000;
    readClock(at(now + 90_000), now, now + 5000);
    readClock("yesterday", now, now);
    readClock(null, now, now);
    expect(connection.get().ahead).toBe(0);
  });
});

describe("a session that ends", () => {
  const me = (id: string) => ({ id, name: id, role: "analyst", permissions: [], kind: "user" as const });
  it("holds requests until the same person is back", async () => {
    signedIn(me("jo"));
    const again = signInAgain();
    expect(session.get().state).toBe("expired");
    signedIn(me("jo"));
    expect(await again).toBe(true);
  });
  it("does not send them in the name of somebody else", async () => {
    signedIn(me("jo"));
    const again = signInAgain();
    signedIn(me("kim"));
    expect(await again).toBe(false);
  });
  it("lets them go when nobody comes back", async () => {
    signedIn(me("jo"));
    const again = signInAgain();
    signedOut();
    expect(await again).toBe(false);
    expect(await signInAgain()).toBe(false);
  });
});

describe("problems", () => {
  it("are read, whatever the answer holds", async () => {
    const problem = await problemOf(
      new Response(
        JSON.stringify({
          type: "urn:honeyguide:problem:confirm",
          title: "Forbidden",
          detail: "confirm",
          instance: "r1",
          errors: [{ location: "body.x", message: "m" }],
        }),
        {
          status: 403,
          headers: { "Retry-After": "7" },
        },
      ),
    );
    expect(problem).toMatchObject({ status: 403, code: "confirm", request: "r1", retryAfter: 7 });
    expect((await problemOf(new Response("<html>", { status: 502 }))).unreachable).toBe(true);
    expect((await problemOf(new Response("null", { status: 412 }))).conflict).toBe(true);
    expect(new Problem(0).unreachable).toBe(true);
  });
});
