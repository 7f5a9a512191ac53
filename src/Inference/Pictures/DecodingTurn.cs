namespace Detection.Inference.Pictures;

/// <summary>Where a decode takes its memory from, and how long it waits for it.</summary>
/// <param name="Memory">Where from.</param>
/// <param name="Wait">How long it waits.</param>
/// <param name="AdditionalBytes">Bytes that the caller needs beside the picture, taken with it and given back when the picture is disposed.</param>
/// <param name="Cancellation">Ends the waiting.</param>
public readonly record struct DecodingTurn(DecodingMemory Memory, TimeSpan Wait, long AdditionalBytes = 0, CancellationToken Cancellation = default)
{
    /// <summary>From the memory of the process, for a minute at most.</summary>
    public static DecodingTurn Default => new(DecodingMemory.OfProcess, TimeSpan.FromMinutes(1));
}
