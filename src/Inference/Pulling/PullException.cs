using Detection.Inference.Manifest;

namespace Detection.Inference.Pulling;

/// <summary>A model could not be pulled. The message is one sentence that says why, without queries of URLs and without tokens.</summary>
/// <param name="message">The sentence.</param>
/// <param name="inner">The cause.</param>
public sealed class PullException(string message, Exception? inner = null) : ModelException(message, inner)
{
    /// <summary>Whether another try a moment later may succeed, as after a connection that was cut.</summary>
    public bool MayPass { get; init; }

    /// <summary>The status of the answer that says no; 0 without one.</summary>
    public int Status { get; init; }

    /// <summary>Reworded errors of the file system; <see langword="null"/> for others.</summary>
    /// <param name="exception">The error.</param>
    /// <param name="folder">The folder of the models.</param>
    internal static PullException? OfFiles(Exception exception, string folder) => exception switch
    {
        // ENOSPC, EDQUOT and their like on Windows.
        IOException { HResult: 28 or 122 or unchecked((int)0x80070070) } => new PullException($"The disk of {folder} is full. Free space there and pull again: what has arrived is kept.", exception),
        UnauthorizedAccessException => new PullException($"{folder} cannot be written: {exception.Message} Make it writable for this process.", exception),
        DirectoryNotFoundException or FileNotFoundException => new PullException($"Files below {folder} were removed during the pull; pull again.", exception) { MayPass = true },
        IOException => new PullException($"{folder} cannot be written: {exception.Message}", exception),
        _ => null,
    };
}
