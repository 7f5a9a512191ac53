using System.Diagnostics;

namespace Detection.SickSilo;

/// <summary>
/// The current fault of the silo's devices: the one that <c>POST /sickness/{kind}</c> has set, or, with the setting
/// <c>Sickness:NowAndThen</c>, out of memory for the last seconds of each half minute.
/// </summary>
/// <param name="nowAndThen">Whether the devices fail from time to time.</param>
internal sealed class Course(bool nowAndThen)
{
    private const double Cycle = 30;
    private const double Sick = 6;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private volatile Sickness _made;

    /// <summary>The current fault. None at first, so that the silo starts.</summary>
    public Sickness Now =>
        nowAndThen && _clock.Elapsed.TotalSeconds % Cycle > Cycle - Sick ? Sickness.OutOfMemory : _made;

    /// <summary>Sets the fault, or none.</summary>
    public void Make(Sickness sickness) => _made = sickness;
}
