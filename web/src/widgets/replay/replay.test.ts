import { describe, expect, test, vi } from "vitest";
import { beginning } from "./align";
import { readCast, shorten, stepFrom, steps, writeCast } from "./cast";
import { type FrameState, ReplayHost, readMessage } from "./host";
import { readable, writeLog } from "./log";
import { clock, commandAt, commandsOf, marksOf } from "./markers";

const v3 = [
  '{"version":3,"term":{"cols":100,"rows":30},"timestamp":1700000000}',
  '[0.5, "r", "80x24"]',
  '[0.5, "o", "$ "]',
  '[1, "i", "id\\r"]',
  '[0.01, "o", "id\\r\\nuid=0(root)\\r\\n$ "]',
  '[60, "i", "w\\r"]',
  "# a comment",
  "[1, 2, 3]",
  "{}",
  "not json",
  '[0.5, "o", "bye\\r\\n"]',
].join("\n");

describe("readCast", () => {
  test("version 3 counts from one piece to the next", () => {
    const cast = readCast(v3);
    expect(cast).toMatchObject({ columns: 100, rows: 30, began: 1700000000, broken: 3, cut: false });
    expect(cast?.pieces.map(([at, kind]) => [Math.round(at * 100) / 100, kind])).toEqual([
      [0.5, "r"],
      [1, "o"],
      [2, "i"],
      [2.01, "o"],
      [62.01, "i"],
      [62.51, "o"],
    ]);
    expect(cast?.length).toBeCloseTo(62.51);
  });
  test("version 2 counts from the beginning and never goes back", () => {
    const cast = readCast('{"version":2,"width":80,"height":24}\n[1,"o","a"]\n[0.5,"o","b"]');
    expect(cast?.pieces.map(([at]) => at)).toEqual([1, 1]);
    expect(cast?.began).toBeUndefined();
  });
  test.each(["", "null", "[]", '{"version":1}', "\u0000", '{"version":3'])("%j is no recording", (text) => {
    expect(readCast(text)).toBeUndefined();
  });
  test("sizes that are none become usual ones", () => {
    expect(readCast('{"version":2,"width":-1,"height":1e9}')).toMatchObject({ columns: 80, rows: 200 });
  });
});

describe("shorten", () => {
  const cast = readCast(v3) as NonNullable<ReturnType<typeof readCast>>;
  test("cuts pauses and finds the way there and back", () => {
    const played = shorten(cast, 2);
    expect(played.length).toBeCloseTo(4.51);
    expect(played.toPlayed(62.01)).toBeCloseTo(4.01);
    expect(played.toReal(4.01)).toBeCloseTo(62.01);
    expect(played.toPlayed(32.01)).toBeCloseTo(3.01); // the middle of the pause
    expect(played.toPlayed(1e9)).toBeCloseTo(4.51);
    expect(played.toPlayed(-1)).toBe(0);
    for (let at = 0; at <= 62.5; at += 0.37) expect(played.toReal(played.toPlayed(at))).toBeCloseTo(at, 6);
  });
  test("without a limit nothing changes", () => {
    const played = shorten(cast, Number.POSITIVE_INFINITY);
    expect(played.length).toBe(cast.length);
    expect(played.toPlayed(30)).toBeCloseTo(30);
  });
  test("what the player gets holds no input", () => {
    const lines = writeCast(cast, shorten(cast, 2))
      .split("\n")
      .map((line) => JSON.parse(line) as unknown[]);
    expect(lines[0]).toEqual({ version: 2, width: 100, height: 30 });
    expect(lines.slice(1).every((line) => line[1] === "o" || line[1] === "r")).toBe(true);
  });
  test("steps lead from screen to screen", () => {
    const all = steps(shorten(cast, 2));
    expect(all.map((at) => Math.round(at * 100) / 100)).toEqual([1, 2.01, 4.51]);
    expect(stepFrom(all, 1, 1)).toBeCloseTo(2.01);
    expect(stepFrom(all, 2.01, -1)).toBe(1);
    expect(stepFrom(all, 1, -1)).toBeUndefined();
  });
});

describe("text to keep", () => {
  test.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;pwn\u0007after", "after"],
    ["\u001b]8;;http://x\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u001bP1$r0m\u001b\\x", "x"],
    ["\u001b(Bplain\u001b=", "plain"],
    ["pass\b\b\bat", "pat"],
    ["50%\r100%", "100%"],
    ["long line\rshort", "shortline"],
    ["\u202egnp.exe", "\\u202egnp.exe"],
    ["\u001b", "\\u001b"],
    ["tab\there", "tab\\u0009here"],
  ])("%j", (output, text) => expect(readable(output)).toEqual([text]));
  test("no control character is left, whatever comes", () => {
    let seed = 7;
    for (let round = 0; round < 2000; round++) {
      let output = "";
      for (let i = 0; i < 24; i++) {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff;
        output += String.fromCharCode([27, 91, 93, 7, 8, 13, 10, 155, 65, 59, 0x202e, 109][seed % 12] as number);
      }
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
      expect(readable(output).join("\n")).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    }
  });
  test("with a heading that is safe as well", () => {
    const cast = readCast(v3);
    expect(cast && writeLog(cast, ["user ro\u001bot"])).toBe("# user ro\\u001bot\n\n$ id\nuid=0(root)\n$ bye\n\n");
  });
});

describe("beginning", () => {
  const cast = readCast(
    [
      '{"version":3,"term":{"cols":80,"rows":24},"timestamp":1000}',
      ...Array.from({ length: 8 }, (_, at) => `[${1 + at * 0.3}, "i", "x\\r"]`),
    ].join("\n"),
  );
  test("commands are laid over the returns", () => {
    let at = 0;
    const commands = Array.from({ length: 8 }, (_, index) => {
      at += 1 + index * 0.3;
      return 1000.731 + at + 0.004;
    });
    expect(cast && beginning(cast, commands, 0)).toBeCloseTo(1000.735, 3);
    // Two that were never typed change nothing.
    expect(cast && beginning(cast, [999.9, ...commands, 1200], 0)).toBeCloseTo(1000.735, 3);
  });
  test("without commands the recording's word, refined by the session's", () => {
    expect(cast && beginning(cast, [], 1000.4)).toBe(1000.4);
    expect(cast && beginning(cast, [], 990.4)).toBe(1000);
  });
});

describe("marks and commands", () => {
  const events = [
    { id: "e1", time: "2026-11-22T09:00:10Z", activity: "login_success", attrs: { "user.name": "root" } },
    {
      id: "e2",
      time: "2026-11-22T09:00:12Z",
      activity: "command",
      attrs: { "process.cmd_line": "wget x | sh", status_code: 2 },
    },
    { id: "e3", time: "2026-11-22T09:00:11Z", activity: "command", attrs: { "process.cmd_line": "id" } },
    { id: "e4", time: "2026-11-22T09:00:12Z", activity: "download", attrs: { "http_request.url": "http://x" } },
    {
      id: "e5",
      time: "2026-11-22T09:00:13Z",
      activity: "token_exposed",
      attrs: { "file.path": "/root/.aws", "honeytoken.id": "t1" },
    },
    { id: "e6", time: "2026-11-22T09:00:13Z", activity: "command", attrs: null as unknown as Record<string, unknown> },
  ];
  const vague = {
    id: "a2",
    time: "2026-11-22T09:00:12Z",
    attacks: [{ id: "T1" }, { id: "T2" }],
    event_ids: ["e2", "e3"],
  };
  const alerts = [
    {
      id: "a1",
      time: "2026-11-22T09:00:12.5Z",
      title: "Loader",
      severity: "high",
      attacks: [{ id: "T1105" }, { id: "T1059.004" }],
      event_ids: ["e2"],
    },
  ];
  const began = Date.parse("2026-11-22T09:00:10.5Z") / 1000;
  test("commands rise and carry what they were evidence of", () => {
    expect(commandsOf(events, [...alerts, vague], began)).toEqual([
      { at: 0.5, id: "e3", text: "id", techniques: [] },
      { at: 1.5, id: "e2", text: "wget x | sh", techniques: ["T1059.004", "T1105"], status: 2 },
      { at: 2.5, id: "e6", text: "", techniques: [] },
    ]);
  });
  test("marks", () => {
    expect(marksOf(events, alerts, began).map(({ at, kind, label }) => [at, kind, label])).toEqual([
      [0, "login", "root"],
      [1.5, "download", "http://x"],
      [2, "alert", "Loader"],
      [2.5, "token", "/root/.aws"],
    ]);
  });
  test("the command that is on", () => {
    const commands = commandsOf(events, alerts, began);
    expect([0, 0.39, 0.5, 1.6, 99].map((at) => commandAt(commands, at))).toEqual([-1, 0, 0, 1, 2]);
    expect(commandAt([], 1)).toBe(-1);
  });
  test.each([
    [0, "00:00"],
    [61.9, "01:01"],
    [3725, "1:02:05"],
    [-1, "00:00"],
  ])("%d s is %s", (at, text) => expect(clock(at)).toBe(text));
});

describe("the frame", () => {
  test.each([
    [null, {}],
    ["ready", {}],
    [{ ready: "true", time: "4", playing: 1, step: 2 }, {}],
    [
      { ready: true, time: 4.5, playing: false, step: -1, html: "<b>" },
      { ready: true, time: 4.5, playing: false, step: -1 },
    ],
    [{ time: Number.NaN }, {}],
    [{ time: -1 }, {}],
    [{ time: Number.POSITIVE_INFINITY }, {}],
  ])("of %j only numbers and yes or no are believed", (message, believed) =>
    expect(readMessage(message)).toEqual(believed),
  );

  function rig() {
    const sent: unknown[] = [];
    const inside = { postMessage: (message: unknown, target: string) => void sent.push([message, target]) };
    let listener: (event: MessageEvent) => void = () => undefined;
    const around = {
      addEventListener: (_: "message", to: (event: MessageEvent) => void) => {
        listener = to;
      },
      removeEventListener: vi.fn(),
    };
    const states: FrameState[] = [];
    const step = vi.fn();
    const leave = vi.fn();
    const host = new ReplayHost(
      { contentWindow: inside },
      { change: (state) => states.push(state), step, leave },
      around,
    );
    const say = (data: unknown, source: unknown = inside) => listener({ data, source } as MessageEvent);
    return { sent, host, say, states, step, leave, around };
  }

  const order = { cast: "{}", markers: [], at: 0, speed: 1, play: true } as {
    cast: string;
    markers: [number, string][];
    at: number;
    speed: number;
    play: boolean;
  };

  test("a recording waits until the frame is there", () => {
    const { sent, host, say } = rig();
    host.load(order, 10);
    expect(sent).toEqual([]);
    say({ ready: true }, {}); // somebody else
    expect(sent).toEqual([]);
    say({ ready: true });
    expect(sent).toEqual([[order, "*"]]);
  });

  test("time stays within the recording, the end is the end", () => {
    const { host, say } = rig();
    host.load(order, 10);
    say({ ready: true });
    say({ time: 3, playing: true });
    expect(host.state).toMatchObject({ at: 3, playing: true, ended: false });
    say({ time: 1e12 });
    expect(host.state.at).toBe(10);
    host.seek(-4);
    expect(host.state.at).toBe(0);
    say({ ended: true });
    expect(host.state).toMatchObject({ at: 10, playing: false, ended: true });
  });

  test("another window is not heard", () => {
    const { host, say, step } = rig();
    say({ ready: true, time: 9, step: 1 }, { postMessage: () => undefined });
    expect(host.state.ready).toBe(false);
    expect(step).not.toHaveBeenCalled();
  });

  test("keys inside the frame come out as numbers", () => {
    const { say, step, leave, around, host } = rig();
    say({ step: -1 });
    say({ leave: true });
    expect(step).toHaveBeenCalledWith(-1);
    expect(leave).toHaveBeenCalledOnce();
    host.destroy();
    expect(around.removeEventListener).toHaveBeenCalledOnce();
  });
});
