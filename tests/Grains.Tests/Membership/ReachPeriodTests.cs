using Detection.Grains.Membership;

namespace Detection.Grains.Tests.Membership;

public sealed class ReachPeriodTests
{
    private readonly ManualTime _time = new();
    private ReachPeriod? _period;

    public static TheoryData<string, bool, double> Looks => new()
    {
        // One check each second: + reached Redis, - did not. A number is a gap of so many seconds.
        { "", true, 0 },
        { "+", true, 0 },
        { "++++", true, 3 },
        { "++++", false, 0 },
        { "----", false, 3 },
        { "----", true, 0 },
        { "++++-", true, 0 },
        { "++++-", false, 0 },
        { "+-+-+--", false, 1 },
        { "++++-+++", true, 2 },
        { "------------------+", false, 0 },
        { "---+---", false, 2 },

        // The state during a gap is unknown.
        { "++++ 5 +", true, 9 },
        { "++++ 60 +", true, 0 },
        { "---- 60 -", false, 0 },
        { "---- 60 ---", false, 2 },
        { "++++ 60", true, 0 },
        { "---- 60", false, 0 },
        { "++++ 5", true, 3 },
    };

    [Theory]
    [MemberData(nameof(Looks))]
    public void Spell_lasts_while_checks_have_one_outcome_without_a_gap(string looks, bool reached, double seconds)
    {
        foreach (var part in looks.Split(' '))
        {
            if (double.TryParse(part, System.Globalization.CultureInfo.InvariantCulture, out var pause))
            {
                _time.Advance(pause);
                continue;
            }

            foreach (var look in part)
            {
                _period = ReachPeriod.After(_period, look == '+', _time.GetTimestamp(), _time);
                _time.Advance(1);
            }
        }

        Assert.Equal(seconds, _period?.Reached == reached ? _period.Length.TotalSeconds : 0);
    }

    [Theory]
    [InlineData(false, 3, 3)]
    [InlineData(true, 3, 0)]
    [InlineData(false, 60, 0)]
    [InlineData(true, 60, 0)]
    public void Failed_check_counts_from_its_start_and_an_answer_from_its_end(bool reached, double duration, double seconds)
    {
        var asked = _time.GetTimestamp();
        _time.Advance(duration);

        Assert.Equal(seconds, ReachPeriod.After(null, reached, asked, _time).Length.TotalSeconds);
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _now = 1_000_000;

        public override long TimestampFrequency => 1000;

        public void Advance(double seconds) => _now += (long)(seconds * 1000);

        public override long GetTimestamp() => _now;
    }
}
