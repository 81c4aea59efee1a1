/** Pictures of one colour, drawn on a grid of 16. */
const PATHS: Record<string, string> = {
  overview: "M2 2h5v5H2z M9 2h5v3H9z M9 7h5v7H9z M2 9h5v5H2z",
  alerts: "M3 14V2 M3 3h9l-2 3 2 3H3",
  sessions: "M2 3h12v10H2z M5 6l2 2-2 2 M8 10h3",
  attackers: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z",
  attack: "M2 2h3v3H2z M6.5 2h3v3h-3z M11 2h3v3h-3z M2 6.5h3v3H2z M6.5 6.5h3v3h-3z M2 11h3v3H2z",
  map: "M8 2a6 6 0 1 0 0 12A6 6 0 0 0 8 2z M2 8h12 M8 2c4 4 4 8 0 12 M8 2c-4 4-4 8 0 12",
  incidents: "M2.5 2.5h11v11h-11z M5.5 6h5 M5.5 8.5h5 M5.5 11h3",
  response: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  tokens: "M8 1.8 13.5 5v6L8 14.2 2.5 11V5z",
  health: "M1.5 8h3l2-5 3 10 2-5h3",
  rules: "M3 3h10 M3 6.3h7 M3 9.6h10 M3 13h5",
  hunt: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z M10.5 10.5 14 14",
  audit: "M3 2h7l3 3v9H3z M5.5 9l1.8 1.8L10.8 7",
  reports: "M2.5 13.5h11 M4 11V7 M7 11V3 M10 11V5.5 M13 11V8.5",
  settings: "M2 4.5h7 M12 4.5h2 M2 11.5h2 M7 11.5h7 M10.5 3v3 M5.5 10v3",
  menu: "M2 4h12 M2 8h12 M2 12h12",
  user: "M8 2.5a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z M2.5 14c.6-3 2.8-4.5 5.5-4.5s4.9 1.5 5.5 4.5",
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9z M10.5 10.5 14 14",
  pause: "M5 3v10 M11 3v10",
  play: "M4 2.5v11l9-5.5z",
  download: "M8 2v8 M4.5 7 8 10.5 11.5 7 M3 13.5h10",
  back: "M10 3 5 8l5 5",
  forward: "M6 3l5 5-5 5",
  more: "M3 8h.01 M8 8h.01 M13 8h.01",
};

export function Icon({ name, size = 16 }: { name: string; size?: number }) {
  return (
    <svg viewBox="0 0 16 16" width={size} height={size} aria-hidden="true" className="icon">
      <path
        d={PATHS[name] ?? ""}
        fill="none"
        stroke="currentColor"
        strokeWidth="1.4"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
