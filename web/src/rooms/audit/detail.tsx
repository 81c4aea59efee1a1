/** One entry, and the proof that it is part of the log. */
import { useEffect, useState } from "react";
import { useOne } from "../../api/query";
import { keep } from "../../api/save";
import { number } from "../../lib/i18n";
import { part } from "../../lib/route";
import { t as shell } from "../../locale/en";
import { t } from "../../locale/rooms/audit";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Field, Fields } from "../../widgets/field";
import { SafeLines } from "../../widgets/safe";
import { Tabs } from "../../widgets/tabs";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { type Followed, follow, type Proof } from "./proof";
import type { Entry } from "./types";

export const outcomeOf = (outcome: string): string =>
  outcome === "asked" || outcome === "refused" || outcome === "failed" ? t(`outcome.${outcome}`) : word(outcome);
const KINDS = ["user", "key", "local", "playbook", "system", "nobody"] as const;
export const kindOf = (kind: string): string => {
  const known = KINDS.find((name) => name === kind);
  return known ? t(`kind.${known}`) : word(kind);
};

export function Detail({ seq, onClose }: { seq: string; onClose: () => void }) {
  const asked = useOne<{ entry: Entry; proof: Proof }>(`/audit/${part(seq)}`);
  const [tab, setTab] = useState("entry");
  const entry = asked.data?.entry;
  return (
    <article aria-label={t("detail", { n: seq })}>
      <header className="audit-head">
        <div className="row">
          <h2 className="grow cut">{entry ? word(entry.action) : t("detail", { n: seq })}</h2>
          {entry ? <Badge kind={entry.outcome === "asked" ? "plain" : "warn"}>{outcomeOf(entry.outcome)}</Badge> : null}
          <Button keys="Escape" onClick={onClose}>
            {shell("close")}
          </Button>
        </div>
        {entry?.outcome === "asked" ? <p className="meta">{t("asked")}</p> : null}
      </header>
      {asked.error ? <ErrorView error={asked.error} onRetry={() => void asked.refetch()} /> : null}
      {asked.data ? (
        <Tabs
          label={t("detail", { n: seq })}
          value={tab}
          onChange={setTab}
          tabs={[
            { id: "entry", label: t("tab.entry"), body: <Facts entry={asked.data.entry} /> },
            { id: "proof", label: t("tab.proof"), body: <Proven proof={asked.data.proof} /> },
          ]}
        />
      ) : asked.error ? null : (
        <Loading />
      )}
    </article>
  );
}

function Facts({ entry }: { entry: Entry }) {
  return (
    <>
      <section className="panel">
        <Fields>
          <Field name={t("col.seq")} text={entry.seq} />
          <Field name={t("field.time")} text={entry.time}>
            <When at={entry.time} exact />
          </Field>
          {entry.erased_by ? (
            <Field name={t("field.actor")} text={t("erased", { n: entry.erased_by })} />
          ) : (
            <Field name={t("field.actor")} text={entry.actor} />
          )}
          <Field name={t("field.kind")} text={entry.kind}>
            {kindOf(entry.kind)}
          </Field>
          {entry.address ? <Field name={t("field.address")} text={entry.address} address /> : null}
          <Field name={t("field.action")} text={entry.action} />
          {entry.object ? <Field name={t("field.object")} text={entry.object} block /> : null}
          <Field name={t("field.outcome")} text={outcomeOf(entry.outcome)} />
          {entry.reason ? <Field name={t("field.reason")} text={entry.reason} block /> : null}
          {entry.detail ? <Field name={t("field.detail")} text={entry.detail} block /> : null}
          {entry.session ? <Field name={t("field.session")} text={entry.session} /> : null}
          {entry.request ? <Field name={t("field.request")} text={entry.request} /> : null}
        </Fields>
        {entry.erased_by ? <p className="meta">{t("erased.text", { n: entry.erased_by })}</p> : null}
      </section>
      {entry.before !== undefined ? <Json title={t("before")} value={entry.before} /> : null}
      {entry.after !== undefined ? <Json title={t("after")} value={entry.after} /> : null}
    </>
  );
}

function Json({ title, value }: { title: string; value: unknown }) {
  return (
    <section className="panel col">
      <h3>{title}</h3>
      <SafeLines text={JSON.stringify(value, null, 2)} />
      <p className="meta">{t("masked")}</p>
    </section>
  );
}

function Proven({ proof }: { proof: Proof }) {
  const [found, setFound] = useState<Followed | "wrong" | null>(null);
  const can = globalThis.crypto?.subtle !== undefined;
  useEffect(() => {
    let there = true;
    if (can)
      follow(proof)
        .then((followed) => there && setFound(followed))
        .catch(() => there && setFound("wrong"));
    return () => {
      there = false;
    };
  }, [proof, can]);
  const good = found !== null && found !== "wrong" && found.good;
  return (
    <section className="panel col" aria-live="polite">
      {!can ? (
        <p>{t("proof.none")}</p>
      ) : found === null ? (
        <p className="muted">{t("proof.checking")}</p>
      ) : (
        <>
          <p className="row wrap">
            <Badge kind={good ? "ok" : "bad"}>{good ? "✓" : "!"}</Badge>
            <b>{t(good ? "proof.good" : "proof.bad")}</b>
          </p>
          <p className="muted">{t("proof.text")}</p>
        </>
      )}
      {found !== null && found !== "wrong" ? (
        <Fields>
          <Field name={t("proof.leaf")} text={found.leaf} block />
          <Field name={t("proof.root")} text={found.root} block />
          <Field name={t("proof.signed")} text={found.signed} block />
          <Field name={t("proof.size")} text={number(found.size)} />
          <Field name={t("proof.steps")} text={number(proof.hashes.length)} />
        </Fields>
      ) : null}
      <div className="row">
        <Button onClick={() => keep(`audit-proof-${proof.seq}.json`, JSON.stringify(proof), "application/json")}>
          {t("proof.save")}
        </Button>
      </div>
    </section>
  );
}
