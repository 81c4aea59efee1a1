/** A key as it is written on the keyboard. */
const NAMES: Record<string, string> = { Escape: "Esc", Enter: "⏎", ArrowUp: "↑", ArrowDown: "↓", Ctrl: "Ctrl" };

export function Kbd({ keys }: { keys: string }) {
  return (
    <span className="kbds" aria-hidden="true">
      {keys.split(" ").map((key, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the same key may come twice
        <kbd className="kbd" key={at}>
          {NAMES[key] ?? key}
        </kbd>
      ))}
    </span>
  );
}
