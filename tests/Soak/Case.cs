namespace Detection.Soak;

/// <summary>A request whose answer is always the same.</summary>
/// <param name="Name">What it is, unique.</param>
/// <param name="AskAsync">Makes it, with the number that makes its picture another one, and reads the answer.</param>
internal sealed record Case(string Name, Func<Sender, int, CancellationToken, Task<Reading>> AskAsync)
{
    /// <summary>How often it is chosen beside the others.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether an answer that differs from the reference is right all the same.</summary>
    public Func<Reading, Reading, bool> IsAlsoRight { get; init; } = static (_, _) => false;
}
