using Detection.Frontend.Http.Access;
using Detection.Frontend.Http.Uploads;

namespace Detection.Frontend.Protocols.DeepStack;

/// <summary>Finds the key that DeepStack's clients send as <c>api_key</c>, in the query or in the form.</summary>
internal sealed class DeepStackKey : IKeySource
{
    public async ValueTask<string?> FindAsync(HttpContext http)
    {
        if (http.Request.Query.TryGetValue(DeepStackForm.KeyField, out var values) && values is [{ Length: > 0 } key])
        {
            return key;
        }

        if (!http.Request.HasFormContentType)
        {
            return null;
        }

        http.RequestServices.GetRequiredService<CallerLimits>().EnterEarly(http);
        return (await ReadFormAsync(http)).Text(DeepStackForm.KeyField);
    }

    /// <summary>The form of a request. It is read once and disposed of with the request.</summary>
    public static async ValueTask<UploadForm> ReadFormAsync(HttpContext http)
    {
        if (http.Features.Get<UploadForm>() is { } before)
        {
            return before;
        }

        var form = await http.RequestServices.GetRequiredService<UploadFormReader>().ReadAsync(http.Request, DeepStackForm.ImageField, null, http.RequestAborted);
        http.Response.RegisterForDispose(form);
        http.Features.Set(form);
        return form;
    }
}
