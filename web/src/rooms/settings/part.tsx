/** Frames the parts of the settings share. */
import { type ReactNode, useState } from "react";
import { errorText } from "../../widgets/views";

export function Part({
  title,
  text,
  acts,
  children,
}: {
  title: string;
  text?: ReactNode;
  acts?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className="settings-part" aria-label={title}>
      <header className="settings-part-head">
        <h2 className="grow">{title}</h2>
        {acts}
      </header>
      {text ? <p className="muted settings-text">{text}</p> : null}
      {children}
    </section>
  );
}

/** Runs one thing at a time and keeps what went wrong; what was typed stays. */
export function useAct(): {
  busy: boolean;
  error: string;
  setError: (text: string) => void;
  act: (run: () => Promise<void>) => Promise<boolean>;
} {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const act = async (run: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    setError("");
    try {
      await run();
      return true;
    } catch (problem) {
      setError(errorText(problem).detail);
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, setError, act };
}

export function Wrong({ text }: { text: string }) {
  return text ? (
    <p className="field-error" role="alert">
      {text}
    </p>
  ) : null;
}
