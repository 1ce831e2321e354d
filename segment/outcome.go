package segment

// Outcome is the truth of a rule, ordered so that Kleene's "and" is the
// minimum, "or" the maximum and "not" the negative.
type Outcome int8

const (
	False   Outcome = -1
	Unknown Outcome = 0
	True    Outcome = 1
)

func (o Outcome) String() string {
	switch o {
	case True:
		return "true"
	case False:
		return "false"
	}
	return "unknown"
}

func outcome(b bool) Outcome {
	if b {
		return True
	}
	return False
}
