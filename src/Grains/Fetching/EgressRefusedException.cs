namespace Detection.Grains.Fetching;

/// <summary>The egress guard refuses to connect. The message is for the log: it may contain internal addresses.</summary>
/// <param name="message">Why, for the log.</param>
/// <param name="publicMessage">One sentence for the sender of the URL. It reveals nothing about the internal network.</param>
internal sealed class EgressRefusedException(string message, string publicMessage) : Exception(message)
{
    /// <summary>One sentence for the sender of the URL.</summary>
    public string PublicMessage { get; } = publicMessage;

    /// <summary>The refusal within an exception of an HTTP request; <see langword="null"/> when there is none.</summary>
    public static EgressRefusedException? In(Exception? exception)
    {
        while (exception is not null and not EgressRefusedException)
        {
            exception = exception.InnerException;
        }

        return exception as EgressRefusedException;
    }
}
