namespace Detection.Grains.Fetching;

/// <summary>The egress guard refuses to connect. The message is for the log: it may name inner addresses.</summary>
/// <param name="message">Why, for the log.</param>
/// <param name="publicMessage">One sentence for the person who sent the URL. It says nothing about the network inside.</param>
internal sealed class EgressRefusedException(string message, string publicMessage) : Exception(message)
{
    /// <summary>One sentence for the person who sent the URL.</summary>
    public string PublicMessage { get; } = publicMessage;

    /// <summary>The refusal in what an HTTP request threw; <see langword="null"/> when there is none.</summary>
    public static EgressRefusedException? In(Exception? exception)
    {
        while (exception is not null and not EgressRefusedException)
        {
            exception = exception.InnerException;
        }

        return exception as EgressRefusedException;
    }
}
