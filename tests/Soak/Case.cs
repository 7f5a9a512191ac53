namespace Detection.Soak;

/// <summary>A request whose answer is always the same.</summary>
/// <param name="Name">Its unique name.</param>
/// <param name="AskAsync">Sends it, with the number that makes its picture unique, and reads the answer.</param>
internal sealed record Case(string Name, Func<Sender, int, CancellationToken, Task<Reading>> AskAsync)
{
    /// <summary>Its weight among the cases.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>Whether an answer that differs from the reference is also right.</summary>
    public Func<Reading, Reading, bool> IsAlsoRight { get; init; } = static (_, _) => false;
}
