"""False alarms of `RecallMonitor`, and the time until it finds a low recall.

    python tests/benchmarks sites_monitor

Simulated sequences, all misses independent. Takes a few minutes.
"""

import numpy as np

from skpneumo.sites._e_process import (
    Capital,
    bet,
    initial_capital,
    log_e_value,
    log_payoffs,
)

MIN_RECALL, FALSE_ALARM = 0.95, 0.05
N_SEQUENCES = 2000
PREVALENCE = 0.5
MAX_DELAY = 8000


def first_alarms(recalls, verified_with, rng, n_sequences=N_SEQUENCES):
    """Positive patients until the alarm in each sequence; infinity where there is none."""
    payoffs = log_payoffs(MIN_RECALL, verified_with)
    capital = initial_capital((n_sequences,))
    alarm = np.full(n_sequences, np.inf)
    for n, recall in enumerate(recalls, start=1):
        is_missed = rng.random(n_sequences) > recall
        is_observed = ~is_missed | (rng.random(n_sequences) < verified_with)
        after = bet(capital, is_missed, payoffs)
        capital = Capital(
            np.where(is_observed, after.n_observed, capital.n_observed),
            np.where(is_observed[:, None], after.log_bets, capital.log_bets),
        )
        reached = log_e_value(capital) >= -np.log(FALSE_ALARM)
        alarm = np.where(reached & np.isinf(alarm), n, alarm)
        if np.isfinite(alarm).all():
            break
    return alarm


def false_alarm_rows(rng):
    """Ever alarmed: in 2,000 cases of both classes, and in 2,000 positive patients."""
    for verified_with in (1, 0.1):
        for recall in (MIN_RECALL, 0.97, 0.99):
            for what, n in (("cases", int(2000 * PREVALENCE)), ("positive patients", 2000)):
                found = np.isfinite(first_alarms(np.full(n, recall), verified_with, rng)).mean()
                error = np.sqrt(found * (1 - found) / N_SEQUENCES)
                print(
                    f"| recall {recall:g}, 2,000 {what}, {verified_with:g} verified | ever alarmed "
                    f"{100 * found:.1f} % ± {100 * error:.1f} |",
                    flush=True,
                )


def delay_rows(rng):
    """Median number of positive patients until an alarm, and those that were false before."""
    for verified_with in (1, 0.1):
        for before, n_before in ((None, 0), (0.98, 1000)):
            for recall in (0.92, 0.90, 0.85):
                recalls = np.r_[np.full(n_before, before, float), np.full(MAX_DELAY, recall)]
                alarm = first_alarms(recalls, verified_with, rng)
                low, median, high = np.quantile(
                    alarm[alarm > n_before] - n_before, [0.1, 0.5, 0.9], method="inverted_cdf"
                )
                since = f"after {n_before:,} at {before:g}" if n_before else "from the start"
                print(
                    f"| recall {recall:g} {since}, {verified_with:g} verified | median {median:g} "
                    f"positive patients (10 to 90 %: {low:g} to {high:g}), "
                    f"{np.sum(alarm <= n_before)} of {N_SEQUENCES:,} alarmed before |",
                    flush=True,
                )


if __name__ == "__main__":
    generator = np.random.default_rng(0)
    false_alarm_rows(generator)
    delay_rows(generator)
