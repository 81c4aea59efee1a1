package behaviour

import (
	"math"
	"strconv"
	"strings"
	"sync"

	"honeyguide"
)

// A place is where an address is registered, in degrees.
type place struct {
	lat, lon float64
	blur     float64 // km: how far from the point the address may be
}

// Where OCSF keeps the coordinates of a source, for mappers that know them.
const (
	attrLat = "src_endpoint.location.lat"
	attrLon = "src_endpoint.location.long"
)

// cityBlur is how far off the coordinates of an address usually are.
const cityBlur = 150

// placeOf returns where an event's source is registered; false when nobody knows.
func placeOf(e *honeyguide.Event) (place, bool) {
	lat, ok := e.Attrs[attrLat].(float64)
	lon, ok2 := e.Attrs[attrLon].(float64)
	if ok && ok2 && math.Abs(lat) <= 90 && math.Abs(lon) <= 180 {
		return place{lat, lon, cityBlur}, true
	}
	p, ok := countries()[e.Src.Country]
	return p, ok
}

// apart returns how many kilometres lie between two places at the least.
func apart(a, b place) float64 {
	const earth = 6371
	rad := math.Pi / 180
	dLat, dLon := (b.lat-a.lat)*rad, (b.lon-a.lon)*rad
	h := math.Pow(math.Sin(dLat/2), 2) + math.Cos(a.lat*rad)*math.Cos(b.lat*rad)*math.Pow(math.Sin(dLon/2), 2)
	return max(0, 2*earth*math.Asin(math.Sqrt(min(1, h)))-a.blur-b.blur)
}

// middles are the middles of countries in whole degrees, and in hundreds of
// kilometres how far a place in them may be from there.
const middles = `AD 42 2 1|AE 24 54 4|AF 33 66 8|AL 41 20 2|AM 40 45 2|AO -12 18 9|AR -36 -65 20|AT 47 14 4|AU -25 134 25|AZ 40 48 3|BA 44 18 2|BD 24 90 4|BE 51 5 2|BF 13 -2 5|BG 43 25 3|BH 26 51 1|BI -3 30 2|BJ 9 2 4|BN 4 115 1|BO -17 -65 8|BR -10 -53 25|BS 25 -77 5|BW -22 24 6|BY 53 28 4|BZ 17 -89 2|CA 56 -100 30|CD -3 24 12|CF 7 21 8|CG -1 15 6|CH 47 8 2|CI 7 -6 4|CL -33 -71 22|CM 6 12 7|CN 35 103 25|CO 4 -73 9|CR 10 -84 3|CU 22 -79 6|CY 35 33 1|CZ 50 15 3|DE 51 10 5|DJ 12 43 1|DK 56 10 3|DO 19 -71 2|DZ 28 3 12|EC -1 -78 6|EE 59 26 2|EG 27 30 8|ER 15 39 5|ES 40 -4 8|ET 9 40 9|FI 64 26 7|FJ -18 178 3|FR 46 2 7|GA -1 12 4|GB 54 -2 6|GE 42 44 3|GH 8 -1 4|GM 13 -16 2|GN 10 -11 5|GR 39 22 5|GT 16 -90 3|GY 5 -59 5|HK 22 114 1|HN 15 -87 4|HR 45 16 3|HT 19 -72 2|HU 47 19 3|ID -3 118 28|IE 53 -8 3|IL 31 35 3|IN 22 79 17|IQ 33 44 6|IR 32 53 11|IS 65 -18 3|IT 43 12 7|JM 18 -77 1|JO 31 36 3|JP 37 138 15|KE 0 38 6|KG 41 75 5|KH 13 105 3|KR 36 128 3|KP 40 127 4|KW 29 48 1|KZ 48 67 16|LA 18 105 6|LB 34 36 1|LI 47 10 1|LK 7 81 3|LR 6 -9 3|LS -30 28 2|LT 55 24 2|LU 50 6 1|LV 57 25 3|LY 27 17 9|MA 32 -6 9|MC 44 7 1|MD 47 29 2|ME 43 19 1|MG -20 47 8|MK 42 22 1|ML 17 -4 10|MM 21 96 11|MN 46 105 13|MO 22 114 1|MR 20 -11 8|MT 36 14 1|MU -20 58 1|MV 3 73 5|MW -13 34 5|MX 23 -102 17|MY 4 109 11|MZ -18 35 11|NA -22 17 8|NE 17 9 9|NG 9 8 7|NI 13 -85 3|NL 52 5 2|NO 64 12 11|NP 28 84 5|NZ -41 174 9|OM 21 57 6|PA 9 -80 4|PE -9 -75 12|PG -6 147 8|PH 12 122 10|PK 30 70 9|PL 52 19 4|PR 18 -66 1|PS 32 35 1|PT 39 -8 4|PY -23 -58 6|QA 25 51 1|RO 46 25 4|RS 44 21 3|RU 60 90 42|RW -2 30 1|SA 24 45 11|SD 15 30 10|SE 62 15 9|SG 1 104 1|SI 46 15 2|SK 49 19 3|SL 8 -12 2|SN 14 -14 4|SO 6 46 9|SS 7 30 7|SV 14 -89 2|SY 35 38 5|SZ -27 32 1|TD 15 19 10|TG 8 1 3|TH 15 101 9|TJ 39 71 4|TM 39 60 7|TN 34 9 4|TR 39 35 9|TT 11 -61 1|TW 24 121 2|TZ -6 35 8|UA 49 32 8|UG 1 32 4|US 39 -98 42|UY -33 -56 3|UZ 41 64 8|VE 7 -66 8|VN 16 107 10|XK 43 21 1|YE 15 48 7|ZA -29 25 9|ZM -14 28 8|ZW -19 30 5`

// countries returns the middles by ISO 3166 code.
var countries = sync.OnceValue(func() map[string]place {
	out := map[string]place{}
	for line := range strings.SplitSeq(middles, "|") {
		f := strings.Fields(line)
		lat, _ := strconv.ParseFloat(f[1], 64)
		lon, _ := strconv.ParseFloat(f[2], 64)
		blur, _ := strconv.ParseFloat(f[3], 64)
		out[f[0]] = place{lat, lon, 100 * blur}
	}
	return out
})
