import { Field, SearchBox } from "@fluentui/react-components";
import { useText } from "../../ui/text/console";

// Find looks for a name in the calendar.
export default function Find({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const { t } = useText();
  return (
    <Field>
      <SearchBox size="small" placeholder={t.home.find} aria-label={t.home.find} value={value} onChange={(_, d) => onChange(d.value)} />
    </Field>
  );
}
