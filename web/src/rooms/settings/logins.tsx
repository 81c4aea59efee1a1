/** The browsers somebody is signed in with. */
import { useState } from "react";
import { call } from "../../api/client";
import { refresh, useOne } from "../../api/query";
import type { Page } from "../../api/types";
import { part } from "../../lib/route";
import { t } from "../../locale/rooms/settings";
import { word } from "../../locale/words";
import { Badge } from "../../widgets/badge";
import { Button } from "../../widgets/button";
import { Confirm } from "../../widgets/dialog";
import { Safe } from "../../widgets/safe";
import { done, failed } from "../../widgets/toast";
import { ErrorView, Loading } from "../../widgets/views";
import { When } from "../../widgets/when";
import { Part } from "./part";

interface LoginRow {
  id: string;
  since: string;
  seen_at: string;
  until: string;
  address: string;
  agent: string;
  methods: string[];
  current: boolean;
  halfway: boolean;
}

/** Names the browser and the system of a user agent, where it is one of the usual. */
export function agentName(agent: string): string {
  const browser = /(Edg|OPR|Firefox|Chrome|Safari)\/(\d+)/.exec(agent);
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|CrOS|Linux)/.exec(agent);
  if (!browser) return agent;
  const name = { Edg: "Edge", OPR: "Opera" }[browser[1] ?? ""] ?? browser[1];
  return [`${name} ${browser[2]}`, system?.[1]].filter(Boolean).join(", ");
}

export function Logins() {
  const list = useOne<Page<LoginRow>>("/me/sessions", {}, 30_000);
  const [others, setOthers] = useState(false);
  const end = async (row: LoginRow) => {
    try {
      const { ended } = await call<{ ended: number }>("DELETE", `/me/sessions/${part(row.id)}`);
      done(t("logins.ended", { n: ended }));
      refresh("/me/sessions");
    } catch (problem) {
      failed(t("users.failed"), problem, () => void end(row));
    }
  };
  const rows = list.data?.items ?? [];
  return (
    <Part
      title={t("logins.title")}
      acts={rows.length > 1 ? <Button onClick={() => setOthers(true)}>{t("logins.others")}</Button> : null}
    >
      {list.error ? <ErrorView error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isPending ? <Loading rows={3} /> : <LoginList rows={rows} onEnd={(row) => void end(row)} />}
      {others ? (
        <Confirm
          open
          onClose={() => setOthers(false)}
          title={t("logins.others.title")}
          rollback={t("logins.rollback")}
          verb={t("logins.others")}
          run={async () => {
            const { ended } = await call<{ ended: number }>("POST", "/me/sessions/end-others");
            done(t("logins.ended", { n: ended }));
            refresh("/me/sessions");
          }}
        >
          <p>{t("logins.others.text")}</p>
        </Confirm>
      ) : null}
    </Part>
  );
}

export function LoginList({ rows, onEnd }: { rows: readonly LoginRow[]; onEnd?: (row: LoginRow) => void }) {
  if (rows.length === 0) return <p className="muted">{t("logins.none")}</p>;
  return (
    <ul>
      {rows.map((row) => (
        <li key={row.id} className="settings-line settings-login">
          <span className="grow">
            <span className="row wrap">
              <Safe text={row.agent ? agentName(row.agent) : t("logins.agent.none")} />
              <Safe text={row.address} className="muted" />
              {row.current ? <Badge kind="accent">{t("logins.this")}</Badge> : null}
              {row.halfway ? <Badge kind="warn">{t("logins.half")}</Badge> : null}
            </span>
            <span className="meta row wrap">
              <span>
                {t("logins.seen")} <When at={row.seen_at} />
              </span>
              <span>
                {t("logins.since")} <When at={row.since} exact />
              </span>
              <span>
                {t("logins.until")} <When at={row.until} exact />
              </span>
              <span>{(row.methods ?? []).map(word).join(", ")}</span>
            </span>
          </span>
          {onEnd && !row.current ? <Button onClick={() => onEnd(row)}>{t("logins.end")}</Button> : null}
        </li>
      ))}
    </ul>
  );
}

/** The browsers of somebody else, for those who manage accounts. */
export function LoginsOf({ user }: { user: string }) {
  const list = useOne<Page<LoginRow>>(`/users/${part(user)}/sessions`);
  if (list.error) return <ErrorView error={list.error} onRetry={() => void list.refetch()} />;
  if (!list.data) return <Loading rows={2} />;
  return <LoginList rows={list.data.items} />;
}
