/** A page that is not there. */
import { Link } from "@tanstack/react-router";
import { t } from "../locale/en";
import { Empty } from "../widgets/views";

export function Missing() {
  return (
    <Empty title={t("missing.title")} action={<Link to="/">{t("missing.home")}</Link>}>
      {t("missing.text")}
    </Empty>
  );
}
