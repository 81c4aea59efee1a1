/** Messages to people: which went out, which did not and why; and the channels they go out on. */
import { useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useList, useOne } from "../../api/query";
import type { Page } from "../../api/types";
import type { Channel, Notice } from "../../api/work";
import { number } from "../../lib/i18n";
import { useQueryState } from "../../lib/route";
import { safe } from "../../lib/safe";
import { absolute } from "../../lib/time";
import { t } from "../../locale/rooms/health";
import { word } from "../../locale/words";
import { Ask } from "../../widgets/ask";
import { Chip } from "../../widgets/bar";
import { Button } from "../../widgets/button";
import { Go } from "../../widgets/go";
import { Safe, SafeLines } from "../../widgets/safe";
import { Section, Table } from "../../widgets/section";
import { Severity } from "../../widgets/severity";
import { State } from "../../widgets/state";
import { done, failed } from "../../widgets/toast";
import { Empty, ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";

const STATES = ["dead", "queued", "sent", "kept"] as const;

export function Notices() {
  const [query, change] = useQueryState();
  const may = useMay("work");
  const list = useList<Notice>("/notices", { state: query.state, channel: query.channel });
  const [open, setOpen] = useState("");
  const again = async (row: Notice) => {
    try {
      await call("POST", `/notices/${encodeURIComponent(row.id)}/retry`, { body: {} });
      done(t("notices.retry.done"));
    } catch (error) {
      failed(t("notices.retry.fail"), error, () => void again(row));
    }
    refresh("/notices");
  };
  return (
    <Section
      title={t("view.notices")}
      actions={STATES.map((state) => (
        <Chip
          key={state}
          on={query.state === state}
          onClick={() => change({ view: "notices", state: query.state === state ? undefined : state })}
        >
          {t(`notices.${state}`)}
        </Chip>
      ))}
    >
      {list.loading ? (
        <Loading />
      ) : list.error ? (
        <ErrorView error={list.error} onRetry={list.again} />
      ) : list.rows.length === 0 ? (
        query.state || query.channel ? (
          <Empty title={t("notices.filtered")} />
        ) : (
          <Empty title={t("notices.empty")}>{t("notices.empty.text")}</Empty>
        )
      ) : (
        <>
          <Table
            label={t("view.notices")}
            heads={[
              { id: "made", label: t("notices.made") },
              { id: "state", label: t("head.state") },
              { id: "severity", label: "" },
              { id: "title", label: t("notices.title"), wide: true },
              { id: "channel", label: t("notices.channel") },
              { id: "attempts", label: t("notices.attempts"), end: true },
              { id: "incident", label: t("notices.incident") },
              { id: "act", label: "" },
            ]}
          >
            {list.rows.map((row) => (
              <tr key={row.id}>
                <td className="work-nowrap">
                  <When at={row.created_at} />
                </td>
                <td className="work-nowrap">
                  <State name={row.state} />
                </td>
                <td>
                  <Severity name={row.severity} bare />
                </td>
                <td>
                  <button
                    type="button"
                    className="health-open"
                    aria-expanded={open === row.id}
                    onClick={() => setOpen(open === row.id ? "" : row.id)}
                  >
                    <Safe text={row.title} block className="health-words" />
                  </button>
                  {row.count > 1 ? (
                    <span className="muted"> {t("notices.times", { n: number(row.count) })}</span>
                  ) : null}
                  {row.error ? (
                    <div className={row.state === "dead" ? "work-state-bad" : "muted"}>
                      <Safe text={row.error} block className="health-words" />
                    </div>
                  ) : null}
                  {open === row.id ? (
                    <div className="health-raw">
                      <SafeLines text={row.text} />
                      {row.ref ? (
                        <p className="muted">
                          {t("notices.ref")}: <Safe text={row.ref} block />
                        </p>
                      ) : null}
                      {row.state === "queued" ? <p>{t("notices.due", { time: absolute(row.due_at) })}</p> : null}
                    </div>
                  ) : null}
                </td>
                <td>
                  {row.channel ? <Safe text={row.channel} /> : <span className="muted">{t("notices.none")}</span>}
                </td>
                <td className="end">{number(row.attempts)}</td>
                <td>
                  {row.incident ? (
                    <Go path={`/incidents/${encodeURIComponent(row.incident)}`} className="mono">
                      {row.incident.slice(-6)}
                    </Go>
                  ) : null}
                </td>
                <td>
                  {row.state === "dead" || row.state === "kept" ? (
                    <Button disabled={!may} onClick={() => void again(row)}>
                      {t("notices.retry")}
                    </Button>
                  ) : null}
                </td>
              </tr>
            ))}
          </Table>
          {list.hasMore ? (
            <Button busy={list.loadingMore} onClick={list.more}>
              {t("act.more")}
            </Button>
          ) : null}
        </>
      )}
    </Section>
  );
}

export function Channels() {
  const asked = useOne<Page<Channel>>("/notices/channels", undefined, 15_000);
  const may = useMay("respond");
  const [testing, setTesting] = useState<Channel | null>(null);
  if (asked.isPending) return <Loading />;
  if (asked.error && !asked.data) return <ErrorView error={asked.error} onRetry={() => void asked.refetch()} />;
  const rows = asked.data?.items ?? [];
  if (rows.length === 0) return <Empty title={t("channels.empty")}>{t("channels.empty.text")}</Empty>;
  return (
    <Section title={t("view.channels")}>
      <Table
        label={t("view.channels")}
        heads={[
          { id: "name", label: t("head.name") },
          { id: "state", label: t("head.state") },
          { id: "queued", label: t("channels.queued"), end: true },
          { id: "rate", label: t("channels.rate"), end: true },
          { id: "error", label: t("channels.error"), wide: true },
          { id: "test", label: "" },
        ]}
      >
        {rows.map((row) => (
          <tr key={row.name}>
            <td>
              <Safe text={row.name} />
            </td>
            <td className="work-nowrap">
              <State name={row.state} health />{" "}
              {row.until ? <span className="muted">{t("channels.until", { time: absolute(row.until) })}</span> : null}
            </td>
            <td className="end">{number(row.queued)}</td>
            <td className="end">{number(row.rate)}</td>
            <td>
              <Safe text={row.error ?? ""} block className="health-words" />
            </td>
            <td>
              <Button disabled={!may} onClick={() => setTesting(row)}>
                {t("channels.test")}
              </Button>
            </td>
          </tr>
        ))}
      </Table>
      {testing ? (
        <Ask
          open
          bare
          onClose={() => setTesting(null)}
          title={t("channels.test.title", { name: safe(testing.name) })}
          rollback={t("channels.test.rollback")}
          verb={t("channels.test")}
          run={async () => {
            const answer = await call<Notice>("POST", "/notices/test", { body: { channel: testing.name } });
            refresh("/notices");
            if (answer.state !== "sent") {
              throw new Error(
                t("channels.test.failed", { name: safe(testing.name), why: safe(answer.error || word(answer.state)) }),
              );
            }
            done(t("channels.test.done", { name: safe(testing.name) }));
          }}
        >
          <p>{t("channels.test.text")}</p>
        </Ask>
      ) : null}
    </Section>
  );
}
