using Microsoft.AspNetCore.Mvc;

namespace Detection.Frontend.Http.Problems;

/// <summary>How an endpoint that speaks somebody else's protocol tells its failures. Stands in the endpoint's metadata.</summary>
internal interface IFailureForm
{
    /// <summary>Writes the body; the status is set.</summary>
    Task WriteAsync(HttpResponse response, ProblemDetails problem);
}
