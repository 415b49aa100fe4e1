import { Link } from "@tanstack/react-router";
import { SearchRegular } from "@fluentui/react-icons";
import { Empty, Page } from "../ui/page";
import { useText } from "../ui/text/console";

// Nowhere is what an address leads to that is no page's.
export default function Nowhere() {
  const { t } = useText();
  return (
    <Page title={t.pages.nowhere}>
      <Empty icon={<SearchRegular />} title={t.pages.nowhereAbout} action={<Link to="/">{t.pages.home}</Link>} />
    </Page>
  );
}
