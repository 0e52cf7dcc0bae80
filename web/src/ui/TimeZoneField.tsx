import { useId } from "react";
import { deviceTimeZone, useI18n } from "@/i18n";

/** A choice of all zones; "" where the account follows the device (`automatic`). */
export function TimeZoneField({ value, automatic, onChange }: { value: string; automatic: boolean; onChange(zone: string): void }) {
    const { t } = useI18n();
    const id = useId();
    const zones = Intl.supportedValuesOf?.("timeZone") ?? [];
    return (
        <div className="field">
            <label htmlFor={id}>{t("me.time_zone")}</label>
            <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
                {automatic && <option value="">{t("me.time_zone_auto", deviceTimeZone())}</option>}
                {value && !zones.includes(value) && <option value={value}>{value}</option>}
                {zones.map((zone) => (
                    <option key={zone} value={zone}>
                        {zone}
                    </option>
                ))}
            </select>
        </div>
    );
}
