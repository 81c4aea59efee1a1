/** Blocking and unblocking by hand; what the guard says is seen before. */
import { useEffect, useState } from "react";
import { call, keyFor } from "../../api/client";
import { useHalt } from "../../api/halt";
import { refresh, useOne } from "../../api/query";
import type { BlockDetail, RunDetail } from "../../api/work";
import { safe } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/response";
import { Ask } from "../../widgets/ask";
import { Input, Select } from "../../widgets/field";
import { Safe } from "../../widgets/safe";
import { done } from "../../widgets/toast";
import { errorText } from "../../widgets/views";

interface Said {
  address: string;
  refused?: string;
}

const TIMES = ["1h", "4h", "24h", "168h", "720h"] as const;

/** How many addresses a prefix of version 4 covers; undefined for one of version 6. */
export function covers(prefix: string): number | undefined {
  if (prefix.includes(":")) return undefined;
  const bits = /\/(\d+)$/.exec(prefix)?.[1];
  return bits === undefined ? 1 : 2 ** (32 - Number(bits));
}

const looksWhole = (text: string): boolean =>
  /^(\d{1,3}(\.\d{1,3}){3}|[0-9a-f:]*:[0-9a-f:.]*)(\/\d{1,3})?$/i.test(text);

export function Add({ onClose }: { onClose: () => void }) {
  const [address, setAddress] = useState("");
  const [ttl, setTTL] = useState<string>("24h");
  const [within, setWithin] = useState("");
  const [incident, setIncident] = useState("");
  const [key] = useState(keyFor);
  const [typed, setTyped] = useState("");
  useEffect(() => {
    // The guard is asked when somebody has finished typing, not at every key.
    const timer = setTimeout(() => setTyped(address.trim()), 350);
    return () => clearTimeout(timer);
  }, [address]);
  const ask = looksWhole(typed) ? typed : "";
  const said = useOne<Said>(ask ? "/guard" : null, { address: ask });
  return (
    <Ask
      open
      danger
      required
      size="medium"
      onClose={onClose}
      title={t("block.add.title")}
      label={t("block.add.why")}
      rollback={t("block.add.rollback")}
      verb={t("block.add.verb")}
      off={address.trim() === "" || Boolean(said.data?.refused)}
      run={async (reason) => {
        const run = await call<RunDetail>("POST", "/blocks", {
          body: {
            address: address.trim(),
            ttl,
            reason,
            confirm_within: within || undefined,
            incident: incident.trim() || undefined,
          },
          key,
        });
        done(t("block.add.done", { address: safe(address.trim()), run: safe(run.short) }));
        refresh("/blocks", "/runs", "/incidents");
      }}
    >
      <Input
        label={t("block.add.address")}
        hint={t("block.add.hint")}
        value={address}
        maxLength={64}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setAddress(event.target.value)}
      />
      <Guard said={said.data} asked={ask} error={said.error} />
      <Select
        label={t("block.add.ttl")}
        value={ttl}
        onChange={(event) => setTTL(event.target.value)}
        options={TIMES.map((value) => ({ value, label: t(`ttl.${value}`) }))}
      />
      <Select
        label={t("block.add.confirm")}
        value={within}
        onChange={(event) => setWithin(event.target.value)}
        options={[
          { value: "", label: t("block.add.confirm.no") },
          { value: "5m", label: t("block.add.confirm.5m") },
          { value: "15m", label: t("block.add.confirm.15m") },
        ]}
      />
      <Input
        label={t("block.add.incident")}
        value={incident}
        maxLength={64}
        onChange={(event) => setIncident(event.target.value)}
      />
    </Ask>
  );
}

/** What would become of a block: the guard's word, and what is known about the address already. */
function Guard({ said, asked, error }: { said: Said | undefined; asked: string; error: unknown }) {
  const halt = useHalt();
  const known = useOne<BlockDetail>(said ? `/blocks/${encodeURIComponent(said.address)}` : null);
  if (asked === "") return <p className="muted">{t("guard.none")}</p>;
  if (error) {
    return (
      <p className="field-error" role="alert">
        {errorText(error).detail}
      </p>
    );
  }
  const n = covers(said?.address ?? asked);
  return (
    <div className="response-guard response-words" role="status">
      {said === undefined ? (
        <p className="muted">{t("guard.asks")}</p>
      ) : said.refused ? (
        <p className="work-state-bad">
          <Safe text={t("guard.refuses", { why: said.refused })} block />
        </p>
      ) : (
        <p>{t("guard.may")}</p>
      )}
      {n !== undefined && n > 1 ? <p>{n > 1_000_000 ? t("guard.many") : t("guard.wide", { n })}</p> : null}
      {known.data?.holds ? <p>{t("guard.holds", { time: absolute(known.data.until) })}</p> : null}
      {known.data?.covered_by[0] ? (
        <p>
          <Safe text={t("guard.covered", { prefix: known.data.covered_by[0].address })} block />
        </p>
      ) : null}
      {known.data && known.data.plans.length > 0 ? (
        <p className="muted">{t("guard.known", { n: known.data.plans.length })}</p>
      ) : null}
      {halt?.on ? <p className="work-state-warn">{t("guard.halted")}</p> : null}
    </div>
  );
}

interface Unblocking {
  address: string;
  covered_by: { address: string }[];
  failed: { address: string; error?: string }[];
}

export function Remove({ address, onClose }: { address: string; onClose: () => void }) {
  const known = useOne<BlockDetail>(`/blocks/${encodeURIComponent(address)}`);
  const covered = known.data?.covered_by.map((one) => one.address) ?? [];
  return (
    <Ask
      open
      danger
      onClose={onClose}
      title={t("block.remove.title", { address: safe(address) })}
      rollback={t("block.remove.rollback")}
      verb={t("blocks.remove")}
      run={async (reason) => {
        const answer = await call<Unblocking>("DELETE", `/blocks/${encodeURIComponent(address)}`, {
          query: { reason },
        });
        refresh("/blocks", "/runs", "/incidents");
        if (answer.failed.length > 0)
          throw new Error(answer.failed.map((one) => safe(one.error ?? one.address)).join(" "));
        done(
          answer.covered_by.length > 0
            ? t("block.remove.still", {
                address: safe(address),
                prefixes: safe(answer.covered_by.map((one) => one.address).join(", ")),
              })
            : t("block.remove.done", { address: safe(address) }),
        );
      }}
    >
      <p>{t("block.remove.text")}</p>
      {covered.length > 0 ? (
        <p className="work-state-warn">
          <Safe text={t("block.remove.covered", { prefixes: covered.join(", ") })} block className="response-text" />
        </p>
      ) : null}
    </Ask>
  );
}
