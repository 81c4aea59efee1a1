import { describe, expect, it } from "vitest";
import { csv, csvCell } from "./csv";
import { defang } from "./defang";
import { brief, safe, safeLines } from "./safe";

describe("safe", () => {
  const cases: [string, string, string][] = [
    ["plain", "uname -a; cat /etc/passwd", "uname -a; cat /etc/passwd"],
    ["escape sequence", "\u001b]0;pwn\u0007", "\\u001b]0;pwn\\u0007"],
    ["direction", "\u202egnp.exe", "\\u202egnp.exe"],
    ["isolates", "a\u2066b\u2069", "a\\u2066b\\u2069"],
    ["no width", "a\u200bb\ufeff", "a\\u200bb\\ufeff"],
    ["newlines", "a\r\nb", "a\\u000d\\u000ab"],
    ["arabic mark", "\u061c", "\\u061c"],
    ["C1", "\u0085\u009f", "\\u0085\\u009f"],
    ["line separators", "\u2028\u2029", "\\u2028\\u2029"],
    ["HTML stays text", "<img src=x onerror=alert(1)>", "<img src=x onerror=alert(1)>"],
    ["emoji stays", "🐝 köder", "🐝 köder"],
    ["half a pair", "a\ud800b", "a\ufffdb"],
  ];
  for (const [name, from, to] of cases) it(name, () => expect(safe(from)).toBe(to));
  it("leaves no control or direction character of any kind", () => {
    let all = "";
    for (let code = 0; code < 0x3000; code++) all += String.fromCharCode(code);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
    expect(safe(all)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/);
  });
  it("takes what is no text", () => {
    expect(safe(undefined)).toBe("");
    expect(safe(null)).toBe("");
    expect(safe(0)).toBe("0");
    expect(safe({ toString: () => "\u0007" })).toBe("\\u0007");
  });
  it("keeps line feeds for details", () => expect(safeLines("a\r\nb\u0000\nc")).toEqual(["a", "b\\u0000", "c"]));
  it("shortens for attributes", () => expect(brief("x".repeat(300), 10)).toBe(`${"x".repeat(10)}…`));
});

describe("defang", () => {
  const cases: [string, string][] = [
    ["http://203.0.113.9/x.sh", "hxxp://203[.]0[.]113[.]9/x[.]sh"],
    ["HTTPS://evil.example.com/a", "HXXPS://evil[.]example[.]com/a"],
    ["ftp://198.51.100.2", "fxp://198[.]51[.]100[.]2"],
    ["evil.example.com", "evil[.]example[.]com"],
    ["203.0.113.9:22", "203[.]0[.]113[.]9:22"],
    ["bob@evil.example.com", "bob[at]evil[.]example[.]com"],
  ];
  for (const [from, to] of cases) it(from, () => expect(defang(from)).toBe(to));
});

describe("csv", () => {
  const cases: [unknown, string][] = [
    ["=1+1", `"'=1+1"`],
    ["+1", `"'+1"`],
    ["-2+3", `"'-2+3"`],
    ["@SUM(A1)", `"'@SUM(A1)"`],
    ["  =cmd|' /C calc'!A0", `"'  =cmd|' /C calc'!A0"`],
    ["\uff1d1", `"'\uff1d1"`],
    ["\tx", `"'\tx"`],
    ['a"b', '"a""b"'],
    ["a,b", '"a,b"'],
    ["plain", "plain"],
    [null, ""],
    [12, "12"],
  ];
  for (const [from, to] of cases) it(JSON.stringify(from), () => expect(csvCell(from)).toBe(to));
  it("ends lines as the standard has it", () => expect(csv(["a", "b"], [[1, "x"]])).toBe("a,b\r\n1,x\r\n"));
});
