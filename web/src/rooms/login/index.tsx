import { useGo, useQueryState } from "../../lib/route";
import { t } from "../../locale/rooms/login";
import SignIn from "./form";

export default function Room() {
  const go = useGo();
  const [query] = useQueryState();
  const to = query.to?.startsWith("/") && !query.to.startsWith("//") ? query.to : "/";
  return (
    <main className="page">
      <h1>{t("title")}</h1>
      <SignIn onIn={() => go(to)} />
    </main>
  );
}
