namespace Detection.Inference.Pictures;

/// <summary>The memory of a decode, and how long it waits for it.</summary>
/// <param name="Memory">The memory.</param>
/// <param name="Wait">How long it waits.</param>
/// <param name="AdditionalBytes">
/// Further bytes that the caller needs. They are reserved together with the picture's, and returned when the picture is disposed.
/// </param>
/// <param name="Cancellation">Cancels the wait.</param>
public readonly record struct DecodingTurn(DecodingMemory Memory, TimeSpan Wait, long AdditionalBytes = 0, CancellationToken Cancellation = default)
{
    /// <summary>Uses the memory of the process, and waits at most a minute.</summary>
    public static DecodingTurn Default => new(DecodingMemory.OfProcess, TimeSpan.FromMinutes(1));
}
