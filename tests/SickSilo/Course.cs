using System.Diagnostics;

namespace Detection.SickSilo;

/// <summary>
/// How the silo's devices are from moment to moment: as they were made by <c>POST /sickness/{kind}</c>, or, with the setting
/// <c>Sickness:NowAndThen</c>, out of memory for the last seconds of each half a minute.
/// </summary>
/// <param name="nowAndThen">Whether they are sick again and again.</param>
internal sealed class Course(bool nowAndThen)
{
    private const double Cycle = 30;
    private const double Sick = 6;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private volatile Sickness _made;

    /// <summary>How they are now. Well at first, so that the silo starts.</summary>
    public Sickness Now =>
        nowAndThen && _clock.Elapsed.TotalSeconds % Cycle > Cycle - Sick ? Sickness.OutOfMemory : _made;

    /// <summary>Makes them sick, or well again.</summary>
    public void Make(Sickness sickness) => _made = sickness;
}
