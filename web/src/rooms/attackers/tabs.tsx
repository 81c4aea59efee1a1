/** The tables of a profile, one a tab. */
import { type ReactNode, useState } from "react";
import { call } from "../../api/client";
import { useMay } from "../../api/me";
import { refresh, useList } from "../../api/query";
import type { Alert, Session } from "../../api/types";
import { bytes, number } from "../../lib/i18n";
import { duration } from "../../lib/time";
import { t } from "../../locale/rooms/attackers";
import { Button } from "../../widgets/button";
import { CopyButton } from "../../widgets/copy";
import { TextArea } from "../../widgets/field";
import { Go } from "../../widgets/go";
import { Safe, SafeLines } from "../../widgets/safe";
import { Severity } from "../../widgets/severity";
import type { Tab } from "../../widgets/tabs";
import { done, failed } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import type { Profile, SeenText } from "./types";

export function tabsOf(data: Profile, path: string): Tab[] {
  return [
    { id: "sessions", label: t("tab.sessions"), count: data.sessions, body: <Sessions data={data} /> },
    {
      id: "credentials",
      label: t("tab.credentials"),
      count: data.credentials.length,
      body: <Credentials rows={data.credentials} />,
    },
    {
      id: "commands",
      label: t("tab.commands"),
      count: data.commands.length,
      body: <Texts rows={data.commands} head={t("head.command")} none={t("none.commands")} />,
    },
    { id: "tools", label: t("tab.tools"), count: data.tools.length + data.urls.length, body: <Tools data={data} /> },
    { id: "files", label: t("tab.files"), count: data.files.length, body: <Files rows={data.files} /> },
    { id: "alerts", label: t("tab.alerts"), count: data.alerts, body: <Alerts data={data} /> },
    { id: "blocks", label: t("tab.blocks"), count: data.blocks.length, body: <Blocks rows={data.blocks} /> },
    { id: "notes", label: t("tab.notes"), count: data.notes.length, body: <Notes data={data} path={path} /> },
  ];
}

function Table({
  heads,
  children,
  none,
}: {
  heads: (string | { end: string })[];
  children: ReactNode[];
  none: string;
}) {
  if (children.length === 0) return <p className="attacker-none muted">{none}</p>;
  return (
    <table className="attacker-table">
      <thead>
        <tr>
          {heads.map((head) =>
            typeof head === "string" ? (
              <th scope="col" key={head}>
                {head}
              </th>
            ) : (
              <th scope="col" key={head.end} className="end">
                {head.end}
              </th>
            ),
          )}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  );
}

function Sessions({ data }: { data: Profile }) {
  const list = useList<Session>(data.address ? "/sessions" : null, { src: data.address }, { limit: 50 });
  if (list.loading) return <Loading rows={5} />;
  if (list.error) return <ErrorView error={list.error} onRetry={list.again} />;
  return (
    <>
      <Table
        heads={[
          t("head.time"),
          t("head.severity"),
          t("head.sensor"),
          t("head.user"),
          { end: t("head.commands") },
          { end: t("head.length") },
        ]}
        none={t("none.sessions")}
      >
        {list.rows.map((row) => (
          <tr key={row.id}>
            <td>
              <Go path={`/sessions/${encodeURIComponent(row.id)}`}>
                <When at={row.started_at} />
              </Go>
            </td>
            <td>
              <Severity name={row.severity} />
            </td>
            <td>
              <Go path={`/sessions/${encodeURIComponent(row.id)}`}>
                <Safe text={row.sensor} />
              </Go>
            </td>
            <td>
              <Safe text={row.user ?? ""} />
            </td>
            <td className="end">{row.commands || ""}</td>
            <td className="end">
              {row.ended_at ? duration(Date.parse(row.ended_at) - Date.parse(row.started_at)) : ""}
            </td>
          </tr>
        ))}
      </Table>
      {list.hasMore ? (
        <p className="attacker-more">
          <Go path="/sessions" query={{ src: data.address }}>
            {t("sessions")}
          </Go>
        </p>
      ) : null}
    </>
  );
}

function Credentials({ rows }: { rows: Profile["credentials"] }) {
  return (
    <Table
      heads={[t("head.user"), t("head.password"), { end: t("head.n") }, t("head.worked"), t("head.time")]}
      none={t("none.credentials")}
    >
      {rows.map((row) => (
        <tr key={`${row.user}\u0000${row.password}\u0000${row.key}`}>
          <td>
            <Safe text={row.user} block />
          </td>
          <td>
            <span className="row">
              <Safe text={row.key ? t("head.key", { key: row.key }) : (row.password ?? "")} block />
              <CopyButton text={row.password ?? row.key} what={t("head.password")} />
            </span>
          </td>
          <td className="end">{number(row.n)}</td>
          <td>{row.worked ? <b>{t("yes")}</b> : ""}</td>
          <td>
            <When at={row.last_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Texts({ rows, head, none }: { rows: readonly SeenText[]; head: string; none: string }) {
  return (
    <Table heads={[head, { end: t("head.n") }, t("head.time")]} none={none}>
      {rows.map((row) => (
        <tr key={row.text}>
          <td className="attacker-text">
            <span className="row">
              <Safe text={row.text} block />
              <CopyButton text={row.text} what={head} />
            </span>
          </td>
          <td className="end">{number(row.n)}</td>
          <td>
            <When at={row.last_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Tools({ data }: { data: Profile }) {
  if (data.tools.length + data.urls.length === 0) return <p className="attacker-none muted">{t("none.tools")}</p>;
  return (
    <>
      {data.tools.length > 0 ? <Texts rows={data.tools} head={t("head.tool")} none="" /> : null}
      {data.urls.length > 0 ? <Texts rows={data.urls} head={t("head.url")} none="" /> : null}
    </>
  );
}

function Files({ rows }: { rows: Profile["files"] }) {
  return (
    <Table
      heads={[
        t("head.file"),
        t("head.type"),
        { end: t("head.size") },
        t("head.hash"),
        { end: t("head.n") },
        t("head.time"),
      ]}
      none={t("none.files")}
    >
      {rows.map((row) => (
        <tr key={row.sha256}>
          <td>
            <Safe text={row.path ?? ""} block />
          </td>
          <td>
            <Safe text={row.type ?? ""} />
          </td>
          <td className="end">{row.size > 0 ? bytes(row.size) : ""}</td>
          <td>
            <span className="row">
              <Safe text={`${row.sha256.slice(0, 16)}…`} />
              <CopyButton text={row.sha256} what={t("head.hash")} />
            </span>
          </td>
          <td className="end">{number(row.n)}</td>
          <td>
            <When at={row.last_at} />
          </td>
        </tr>
      ))}
    </Table>
  );
}

function Alerts({ data }: { data: Profile }) {
  const list = useList<Alert>("/alerts", { attacker: data.key }, { limit: 50 });
  if (list.loading) return <Loading rows={5} />;
  if (list.error) return <ErrorView error={list.error} onRetry={list.again} />;
  return (
    <>
      <Table heads={[t("head.time"), t("head.severity"), t("head.alert"), t("head.state")]} none={t("none.alerts")}>
        {list.rows.map((row) => (
          <tr key={row.id}>
            <td>
              <When at={row.time} />
            </td>
            <td>
              <Severity name={row.severity} />
            </td>
            <td>
              <Go path={`/alerts/${encodeURIComponent(row.short)}`}>
                <span className="mono muted">{row.short}</span> <Safe text={row.title} className="attacker-words" />
              </Go>
            </td>
            <td>
              <Safe text={row.status} className="attacker-words" />
            </td>
          </tr>
        ))}
      </Table>
      {list.hasMore ? (
        <p className="attacker-more">
          <Go path="/alerts" query={{ attacker: data.key }}>
            {t("alerts")}
          </Go>
        </p>
      ) : null}
    </>
  );
}

function Blocks({ rows }: { rows: Profile["blocks"] }) {
  return (
    <Table
      heads={[t("head.time"), t("head.state"), t("head.by"), t("head.reason"), t("head.until")]}
      none={t("none.blocks")}
    >
      {rows.map((row) => (
        <tr key={row.id}>
          <td>
            <When at={row.created_at} />
          </td>
          <td>
            <Safe text={row.state} className="attacker-words" />
          </td>
          <td>
            <Safe text={row.by ?? ""} />
          </td>
          <td>
            <Safe text={row.reason} block className="attacker-words" />
          </td>
          <td>{row.expires_at ? <When at={row.expires_at} exact /> : ""}</td>
        </tr>
      ))}
    </Table>
  );
}

function Notes({ data, path }: { data: Profile; path: string }) {
  const may = useMay("work");
  const [text, setText] = useState("");
  const [busy, setBusy] = useState(false);
  const add = async () => {
    setBusy(true);
    try {
      await call("POST", `${path}/notes`, { body: { text: text.trim() } });
      setText("");
      done(t("note.done"));
      refresh(path);
    } catch (error) {
      // What was typed stays.
      failed(t("note.failed"), error, () => void add());
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="attacker-notes">
      {may ? (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void add();
          }}
        >
          <TextArea
            label={t("note.label")}
            hint={t("note.hint")}
            value={text}
            maxLength={4000}
            onChange={(event) => setText(event.target.value)}
          />
          <Button type="submit" busy={busy} disabled={busy || text.trim() === ""}>
            {t("note.add")}
          </Button>
        </form>
      ) : null}
      {data.notes.length === 0 ? <p className="muted">{t("none.notes")}</p> : null}
      <ul>
        {data.notes.map((note) => (
          <li key={note.id} className="attacker-note">
            <p className="meta">
              <Safe text={note.by} className="attacker-words" /> <When at={note.at} exact />
            </p>
            <SafeLines text={note.text} />
          </li>
        ))}
      </ul>
    </div>
  );
}
