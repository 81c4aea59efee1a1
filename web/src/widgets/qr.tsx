/** A QR picture from rows of 0 and 1, drawn as elements. Always dark on light, as cameras want it. */
export function Qr({ rows, label }: { rows: readonly string[]; label: string }) {
  const size = rows.length;
  const edge = rows[0]?.includes("1") ? 4 : 0; // the quiet zone, where the rows bring none
  return (
    <svg
      className="qr"
      viewBox={`0 0 ${size + edge * 2} ${size + edge * 2}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect className="qr-light" width={size + edge * 2} height={size + edge * 2} />
      <path className="qr-dark" d={path(rows, edge)} />
    </svg>
  );
}

function path(rows: readonly string[], edge: number): string {
  const parts: string[] = [];
  rows.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (row[x] !== "1") continue;
      let end = x;
      while (row[end + 1] === "1") end++;
      parts.push(`M${x + edge} ${y + edge}h${end - x + 1}v1h-${end - x + 1}z`);
      x = end;
    }
  });
  return parts.join("");
}
