using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Limits the time of reading from a body, and distinguishes a timeout from a client that disconnected.</summary>
internal sealed class UploadTimeout(IOptions<FrontendOptions> options, TimeProvider time)
{
    private readonly TimeSpan _timeout = options.Value.UploadTimeout;

    /// <summary>Runs <paramref name="read"/> with a token that is cancelled after the timeout.</summary>
    /// <exception cref="ProblemException">The reading timed out.</exception>
    /// <exception cref="UploadAbandonedException">The client disconnected.</exception>
    public async ValueTask<T> ApplyAsync<T>(Func<CancellationToken, ValueTask<T>> read, CancellationToken cancellationToken)
    {
        using var timeout = new CancellationTokenSource(_timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timeout.Token);
        try
        {
            return await read(either.Token);
        }
        catch (IOException e) when (e is not BadHttpRequestException { StatusCode: not StatusCodes.Status400BadRequest })
        {
            // The server throws it when the connection ends within the body, often before RequestAborted is cancelled, and when the bytes of
            // the connection are no valid HTTP.
            throw new UploadAbandonedException(e);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(ProblemType.UploadTimeout, $"The body did not arrive within {_timeout.TotalSeconds:0.#} seconds.", e);
        }
    }
}
