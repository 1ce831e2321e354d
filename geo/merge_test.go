package geo

import "testing"

func TestMergeKeepsPlacesApart(t *testing.T) {
	milan := Location{Country: "IT", Regions: []Region{{Code: "IT-25"}}, City: "Milan", Postal: "20121", Point: Point{45.46, 9.19}, HasPoint: true, Accuracy: 5000, ASN: 7, Org: "Acme"}
	for name, tt := range map[string]struct{ first, second, want Location }{
		"continent of another country": {Location{Country: "US"}, Location{Country: "IT"}, Location{Country: "US", Continent: "NA"}},
		"another city":                 {Location{Country: "IT", City: "Rome"}, milan, Location{Country: "IT", City: "Rome", Continent: "EU", EU: true, TimeZone: "Europe/Rome", ASN: 7, Org: "Acme"}},
		"another region":               {Location{Country: "IT", Regions: []Region{{Code: "IT-62", Name: "Lazio"}}}, milan, Location{Country: "IT", Regions: []Region{{Code: "IT-62", Name: "Lazio"}}, Continent: "EU", EU: true, TimeZone: "Europe/Rome", ASN: 7, Org: "Acme"}},
		"a known organization":         {Location{Org: "Acme"}, Location{ASN: 5}, Location{Org: "Acme", ASN: 5}},
		"another network's name":       {Location{ASN: 5}, Location{ASN: 7, Org: "Acme"}, Location{ASN: 5}},
	} {
		got, second := tt.first, tt.second
		got.complete()
		second.complete()
		got.merge(&second)
		if len(got.Regions) != len(tt.want.Regions) || len(got.Regions) > 0 && got.Regions[0] != tt.want.Regions[0] {
			t.Errorf("%s: regions %v, want %v", name, got.Regions, tt.want.Regions)
		}
		got.Regions, tt.want.Regions = nil, nil
		if got.Country != tt.want.Country || got.Continent != tt.want.Continent || got.EU != tt.want.EU || got.City != tt.want.City || got.Postal != tt.want.Postal ||
			got.HasPoint != tt.want.HasPoint || got.Accuracy != tt.want.Accuracy || got.TimeZone != tt.want.TimeZone || got.ASN != tt.want.ASN || got.Org != tt.want.Org {
			t.Errorf("%s:\n got %+v\nwant %+v", name, got, tt.want)
		}
	}
}
