/** Buttons. Each shows the key that does the same. */
import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { cx } from "../lib/cx";
import { Kbd } from "./kbd";

export interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  kind?: "plain" | "primary" | "danger" | "quiet";
  /** The key that does the same; shown on the button. */
  keys?: string;
  icon?: ReactNode;
  pressed?: boolean;
  busy?: boolean;
  ref?: Ref<HTMLButtonElement>;
}

export function Button({
  kind = "plain",
  keys,
  icon,
  pressed,
  busy,
  className,
  children,
  disabled,
  ...rest
}: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      disabled={disabled}
      aria-pressed={pressed}
      aria-busy={busy || undefined}
      className={cx("button", `button-${kind}`, pressed && "button-on", busy && "button-busy", className)}
    >
      {icon}
      {children}
      {keys ? <Kbd keys={keys} /> : null}
    </button>
  );
}

/** A button of one picture; label is what it says to who does not see it. */
export function IconButton({ label, className, ...rest }: ButtonProps & { label: string }) {
  return <Button kind="quiet" aria-label={label} title={label} className={cx("button-icon", className)} {...rest} />;
}
