using Detection.Contracts.Answers;
using Detection.Frontend.Http.Problems;
using Microsoft.Extensions.Options;

namespace Detection.Frontend.Http.Uploads;

/// <summary>Limits the time that reading from a body may take, and says why it failed.</summary>
internal sealed class UploadTimeout(IOptions<FrontendOptions> options, TimeProvider time)
{
    private readonly TimeSpan _timeout = options.Value.UploadTimeout;

    /// <summary>Runs <paramref name="read"/> with a token that ends after the time allowed.</summary>
    /// <exception cref="ProblemException">It took too long.</exception>
    /// <exception cref="UploadAbandonedException">The sender has left.</exception>
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
            // How the server says that the connection ended within the body, often before the request counts as aborted, or that what
            // comes over it is not HTTP any more.
            throw new UploadAbandonedException(e);
        }
        catch (OperationCanceledException e) when (timeout.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new ProblemException(ProblemType.UploadTimeout, $"The body did not arrive within {_timeout.TotalSeconds:0.#} seconds.", e);
        }
    }
}
