/** The pictures of marks: they stand on timelines and in lists. */
import type { MarkKind } from "./markers";

const SHAPES: Record<MarkKind, string> = {
  login: "M2 8h8M7 4.5 10.5 8 7 11.5M10 2.5h3.5v11H10",
  token: "M8 1.8 13.4 5v6L8 14.2 2.6 11V5z",
  alert: "M8 3v6M8 11.6v1.6",
  download: "M8 2.5v8M4.5 7.5 8 11l3.5-3.5M3 13.5h10",
};

/** A picture of 16 by 16 made of one line. */
export const Glyph = ({ d }: { d: string }) => (
  <svg
    viewBox="0 0 16 16"
    width="14"
    height="14"
    aria-hidden="true"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.6"
  >
    <path d={d} />
  </svg>
);

export const MarkGlyph = ({ kind }: { kind: MarkKind }) => <Glyph d={SHAPES[kind]} />;
