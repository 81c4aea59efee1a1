/** A time: how long ago in lists, the instant with its zone in details; the other one on hover. */
import { absolute, ago, useNow, useZone } from "../lib/time";
import { t } from "../locale/en";

export function When({ at, exact, now }: { at: string | undefined; exact?: boolean; now?: number }) {
  useZone();
  if (!at) return null;
  if (exact) return <Exact at={at} />;
  return now === undefined ? (
    <Ticking at={at} />
  ) : (
    <time dateTime={at} title={absolute(at)}>
      {ago(at, now)}
    </time>
  );
}

function Exact({ at }: { at: string }) {
  return (
    <time dateTime={at} title={t("time.ago", { time: ago(at) })} className="when-exact">
      {absolute(at)}
    </time>
  );
}

function Ticking({ at }: { at: string }) {
  const now = useNow(10_000);
  return (
    <time dateTime={at} title={absolute(at)}>
      {ago(at, now)}
    </time>
  );
}
