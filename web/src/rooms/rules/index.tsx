import { t } from "../../locale/en";
import { Empty } from "../../widgets/views";

export default function Room() {
  return <Empty>{t("stub")}</Empty>;
}
