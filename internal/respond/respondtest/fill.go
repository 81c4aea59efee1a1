package respondtest

import (
	"fmt"
	"reflect"
	"strings"
)

// fill sets the fields of the settings into points to by the names their yaml
// tags give them.
func fill(into any, settings map[string]any) error {
	left := map[string]any{}
	for k, v := range settings {
		left[k] = v
	}
	if err := fields(reflect.ValueOf(into).Elem(), left); err != nil {
		return err
	}
	for k := range left {
		return fmt.Errorf("%s: there is no such setting", k)
	}
	return nil
}

func fields(v reflect.Value, left map[string]any) error {
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if option == "inline" {
			if err := fields(v.Field(i), left); err != nil {
				return err
			}
			continue
		}
		given, ok := left[name]
		if !ok {
			continue
		}
		delete(left, name)
		g, f := reflect.ValueOf(given), v.Field(i)
		if !g.CanConvert(f.Type()) {
			return fmt.Errorf("%s: %T is no %s", name, given, f.Type())
		}
		f.Set(g.Convert(f.Type()))
	}
	return nil
}
