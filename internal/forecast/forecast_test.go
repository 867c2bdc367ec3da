package forecast

import (
	"math"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func minutes(n ...float64) []time.Duration {
	out := make([]time.Duration, len(n))
	for i, m := range n {
		out[i] = time.Duration(m * float64(time.Minute))
	}
	return out
}

// upTo are n runs of 1, 2, 3… seconds.
func upTo(n int) []time.Duration {
	out := make([]time.Duration, n)
	for i := range out {
		out[i] = time.Duration(i+1) * time.Second
	}
	return out
}

func TestWhatIsSaidOfARun(t *testing.T) {
	twenty := slices.Repeat(minutes(10), 9)
	twenty = append(twenty, minutes(10.0+2.0/3, 10.0+2.0/3, 11, 11, 11, 11, 12, 12, 12, 13, 15)...)
	for reason, tc := range map[string]struct {
		layer     string
		kind      Kind
		runs      []time.Duration
		elapsed   time.Duration
		elsewhere bool
		want      string
	}{
		"with history":                                  {"cluster", First, twenty, 7 * time.Minute, false, "usually 10m40s, p95 13m"},
		"slower than all of a few dozen":                {"cluster", First, twenty, 16 * time.Minute, false, "slower than all 20 before (usually 10m40s)"},
		"with too few runs for a percentile":            {"cluster", First, minutes(9, 10, 11, 12, 13), 0, false, "usually 11m, at most 13m in 5 runs"},
		"slower than all of those":                      {"cluster", First, minutes(9, 10, 11, 12, 13), 14 * time.Minute, false, "slower than all 5 before (usually 11m)"},
		"as slow as the slowest of those":               {"cluster", First, minutes(9, 10, 11, 12, 13), 13 * time.Minute, false, "usually 11m, at most 13m in 5 runs"},
		"at p99":                                        {"account", Same, upTo(100), 99 * time.Second, false, "usually 50s, p95 1m35s"},
		"past p99":                                      {"account", Same, upTo(100), 99*time.Second + 1, false, "slower than 99 of 100 (usually 50s)"},
		"with no history":                               {"cluster", First, nil, time.Minute, false, "no history here yet; AWS and Pulumi users report 10m to 21m"},
		"with no history, in the sandbox":               {"cluster", First, nil, time.Hour, true, "no history here yet; AWS and Pulumi users report 10m to 21m"},
		"with no history, longer than others report":    {"cluster", First, nil, 22 * time.Minute, false, "no history here yet; longer than the 10m to 21m that AWS and Pulumi users report"},
		"with no history, and what holds for some runs": {"cluster", Change, nil, 2 * time.Hour, false, "no history here yet; EKS users report 21m to 1h00m for a new Kubernetes version"},
		"with no history, and nothing published":        {"bootstrap", First, nil, 0, false, "no history here yet"},
		"with one run":                                  {"cluster", First, minutes(9), 0, false, "one run here yet, 9m; AWS and Pulumi users report 10m to 21m"},
		"with a few runs":                               {"bootstrap", First, minutes(1, 3, 2), 0, false, "3 runs here yet, 1m to 3m"},
		"with a few runs that took the same":            {"bootstrap", First, minutes(1, 1), 0, false, "2 runs here yet, 1m"},
	} {
		book := &Book{Elsewhere: tc.elsewhere}
		book.Add(tc.layer, tc.kind, tc.runs...)
		for _, other := range Kinds() {
			if other != tc.kind {
				book.Add(tc.layer, other, upTo(300)...) // runs of another kind say nothing
			}
		}
		if got := book.Estimate(tc.layer, tc.kind).Say(tc.elapsed); got != tc.want {
			t.Errorf("%s: %q, want %q", reason, got, tc.want)
		}
	}
}

func TestWhatIsLeftOfARun(t *testing.T) {
	for reason, tc := range map[string]struct {
		runs      []time.Duration
		kind      Kind
		elapsed   time.Duration
		elsewhere bool
		want      string
	}{
		"at its start":                         {minutes(9, 10, 14), First, 0, false, "about 10m left"},
		"past some runs":                       {minutes(9, 10, 14), First, 9*time.Minute + 30*time.Second, false, "about 30s left"},
		"as long as one has taken":             {minutes(9, 10, 14), First, 10 * time.Minute, false, "about 4m left"},
		"past all runs":                        {minutes(9, 10, 14), First, 15 * time.Minute, false, ""},
		"with one run":                         {minutes(9), First, 0, false, "about 9m left"},
		"by what others report":                {nil, First, 5*time.Minute + 30*time.Second, false, "about 10m left by what others report"},
		"past the middle of what they report":  {nil, First, 16 * time.Minute, false, "about 5m left by what others report"},
		"past what they report":                {nil, First, 22 * time.Minute, false, ""},
		"in the sandbox others report nothing": {nil, First, 0, true, ""},
		"what holds for some runs only":        {nil, Change, 0, false, ""},
		"when nothing is known":                {nil, Same, 0, false, ""},
	} {
		book := &Book{Elsewhere: tc.elsewhere}
		book.Add("cluster", tc.kind, tc.runs...)
		if got := book.Estimate("cluster", tc.kind).Left(tc.elapsed).String(); got != tc.want {
			t.Errorf("%s: %q, want %q", reason, got, tc.want)
		}
	}
	if got := Known(time.Minute).Then(Left{}).String(); got != "more than 1m left" {
		t.Errorf("with a part that is not known: %q", got)
	}
}

func TestHowLongAllTakes(t *testing.T) {
	left := func(n ...float64) []Left {
		var out []Left
		for _, d := range minutes(n...) {
			out = append(out, Known(d))
		}
		return out
	}
	for reason, tc := range map[string]struct {
		running, waiting []Left
		places           int
		want             Left
	}{
		"nothing is left":                           {nil, nil, 4, Known(0)},
		"the longest that runs":                     {left(3, 7), nil, 4, Known(7 * time.Minute)},
		"one after the other":                       {left(3), left(10, 10), 1, Known(23 * time.Minute)},
		"all at once":                               {nil, left(10, 12, 11), 3, Known(12 * time.Minute)},
		"the next takes the first place that ends":  {left(1, 6), left(10, 4), 2, Known(11 * time.Minute)},
		"a free place is taken at once":             {left(20), left(10), 2, Known(20 * time.Minute)},
		"one that cannot be told makes it at least": {append(left(5), Left{}), nil, 4, Left{For: 5 * time.Minute}},
	} {
		if got := Whole(tc.running, tc.waiting, tc.places); got != tc.want {
			t.Errorf("%s: %+v, want %+v", reason, got, tc.want)
		}
	}
}

func durations() *rapid.Generator[[]time.Duration] {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) time.Duration {
		return time.Duration(rapid.Int64Range(0, int64(3*time.Hour)).Draw(t, "duration"))
	}), 0, 250)
}

// TestQuantiles holds what a quantile is: of the runs, so many are at most as
// long, and it is one of them, whatever the order in which they came.
func TestQuantiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := durations().Draw(t, "runs")
		q := rapid.Float64Range(0, 1).Draw(t, "q")
		e := Of(runs)
		got := e.Quantile(q)
		if len(runs) == 0 {
			if got != 0 {
				t.Fatalf("%s of no run", got)
			}
			return
		}
		if !slices.Contains(runs, got) {
			t.Fatalf("%s is none of the runs", got)
		}
		atMost, below := 0, 0
		for _, r := range runs {
			if r <= got {
				atMost++
			}
			if r < got {
				below++
			}
		}
		if n := float64(len(runs)); float64(atMost) < q*n-1e-6 || float64(below) > math.Max(q*n, 0)+1e-6 {
			t.Fatalf("q %f of %d: %d at most as long, %d shorter", q, len(runs), atMost, below)
		}
		shuffled := rapid.Permutation(runs).Draw(t, "shuffled")
		if again := Of(shuffled).Quantile(q); again != got {
			t.Fatalf("%s in another order, and %s before", again, got)
		}
		if more := e.Quantile(math.Min(1, q+rapid.Float64Range(0, 1).Draw(t, "more"))); more < got {
			t.Fatalf("a higher quantile is %s, below %s", more, got)
		}
	})
}

// TestNothingIsSaidWithoutEnoughRuns holds the table of the package, and that
// who is called late is slower than those that it is compared with.
func TestNothingIsSaidWithoutEnoughRuns(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		runs := durations().Draw(t, "runs")
		elapsed := time.Duration(rapid.Int64Range(0, int64(4*time.Hour)).Draw(t, "elapsed"))
		before := slices.Clone(runs)
		e := Of(runs)
		if !slices.Equal(before, runs) {
			t.Fatal("the caller's runs were put in another order")
		}
		text, slower := e.Say(elapsed), 0
		for _, r := range runs {
			if elapsed > r {
				slower++
			}
		}
		for word, enough := range map[string]int{"usually": 5, "p95": 20, "99 of 100": 100} {
			if strings.Contains(text, word) && len(runs) < enough {
				t.Fatalf("%q of %d runs", text, len(runs))
			}
		}
		if strings.Contains(text, "99 of 100") && float64(slower) < 0.99*float64(len(runs)) {
			t.Fatalf("%q: slower than %d of %d", text, slower, len(runs))
		}
		if strings.Contains(text, "than all") && slower < len(runs) {
			t.Fatalf("%q: slower than %d of %d", text, slower, len(runs))
		}
		if left := e.Left(elapsed); left.Known != (slices.ContainsFunc(runs, func(r time.Duration) bool { return r > elapsed })) || left.For < 0 {
			t.Fatalf("left %+v", left)
		} else if left.Known && !slices.Contains(runs, elapsed+left.For) {
			t.Fatalf("no run ended when this is said to: %s", left.For)
		}
	})
}

// TestWholeIsWhatPlacesCanDo holds the bounds of any schedule: at least the
// longest and the sum over the places, at most one after the other.
func TestWholeIsWhatPlacesCanDo(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.IntRange(1, 8).Draw(t, "places")
		draw := func(most int, label string) (out []Left, sum, longest time.Duration) {
			for range rapid.IntRange(0, most).Draw(t, label) {
				d := time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "left"))
				out, sum, longest = append(out, Known(d)), sum+d, max(longest, d)
			}
			return out, sum, longest
		}
		running, ran, longest := draw(places, "running")
		waiting, waits, longer := draw(12, "waiting")
		got := Whole(running, waiting, places)
		if least := max(longest, longer, (ran+waits)/time.Duration(places)); !got.Known || got.For < least || got.For > ran+waits {
			t.Fatalf("%+v, want %s to %s", got, least, ran+waits)
		}
		if more := Whole(running, append(waiting, Known(time.Minute)), places); more.For < got.For {
			t.Fatalf("%s with one more, and %s without", more.For, got.For)
		}
	})
}

func TestEveryPriorNamesItsSources(t *testing.T) {
	for _, p := range published {
		if len(p.Sources) == 0 || p.By == "" || p.Least <= 0 || p.Most < p.Least || !slices.Contains(Kinds(), p.Kind) {
			t.Errorf("%+v", p)
		}
		for _, s := range p.Sources {
			if !strings.HasPrefix(s, "https://") {
				t.Errorf("%s %s: %q is not a page", p.Layer, p.Kind, s)
			}
		}
		if got, ok := Published(p.Layer, p.Kind); !ok || got.String() != p.String() {
			t.Errorf("%s %s is in the table twice: %s", p.Layer, p.Kind, got)
		}
	}
}

func TestTheDocumentationHasEveryPrior(t *testing.T) {
	raw, err := os.ReadFile("../../docs/forecast.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range published {
		for _, want := range append(p.Sources, p.Layer+", `"+string(p.Kind)+"`", p.By, Text(p.Least)+" to ") {
			if !strings.Contains(string(raw), want) {
				t.Errorf("docs/forecast.md lacks %q of %s, %s", want, p.Layer, p.Kind)
			}
		}
	}
}

func TestDurationsReadAsPeopleSayThem(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 0: "0.0s", 400 * time.Millisecond: "0.4s", 9940 * time.Millisecond: "9.9s", 9960 * time.Millisecond: "10s",
		12 * time.Second: "12s", 59600 * time.Millisecond: "1m", time.Minute: "1m", 640 * time.Second: "10m40s", 13 * time.Minute: "13m",
		59*time.Minute + 59*time.Second + 700*time.Millisecond: "1h00m", 62 * time.Minute: "1h02m",
	} {
		if got := Text(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
