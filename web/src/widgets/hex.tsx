/** Bytes as they came: offsets, hexadecimal, and what of them is printable. Nothing of it can act. */
import { useState } from "react";
import { t } from "../locale/desk";
import { Button } from "./button";
import "./hex.css";

const WIDE = 16;
const STEP = 2048;

/** The bytes of base64; null when it is none. */
export function bytesOf(base64: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0");
const printable = (byte: number): string => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : "·");

/** One line: where it begins, its bytes in two halves, and as characters. */
export function hexLine(bytes: Uint8Array, at: number): [string, string, string] {
  const line = bytes.subarray(at, at + WIDE);
  const pairs = Array.from(line, hex);
  const halves = `${pairs.slice(0, 8).join(" ").padEnd(23)}  ${pairs.slice(8).join(" ").padEnd(23)}`;
  return [at.toString(16).padStart(6, "0"), halves, Array.from(line, printable).join("")];
}

export function Hex({ bytes, label }: { bytes: Uint8Array; label: string }) {
  const [shown, setShown] = useState(STEP);
  const lines: [string, string, string][] = [];
  for (let at = 0; at < Math.min(bytes.length, shown); at += WIDE) lines.push(hexLine(bytes, at));
  return (
    <section className="hex" aria-label={label}>
      <div className="hex-scroll" dir="ltr" tabIndex={0}>
        {lines.map(([at, halves, text]) => (
          <div key={at} className="hex-line">
            <span className="muted">{at}</span>
            <span>{halves}</span>
            <span>{text}</span>
          </div>
        ))}
      </div>
      {bytes.length > shown ? (
        <Button kind="quiet" onClick={() => setShown(shown * 4)}>
          {t("hex.more", { n: bytes.length - shown })}
        </Button>
      ) : null}
    </section>
  );
}
